"""Several recognisers as one: the mean of their probabilities, each shown its own stream, at its own temperature."""

import torch
from batches import COCO, C, M, T, batch, some_absent

from ossein.augment import stream
from ossein.tasks import Fused, FusedSettings, MemberSettings, ReaderSettings, STGCNSettings


@torch.no_grad()
def test_its_scores_are_logarithms_of_the_mean_of_probabilities():
    torch.manual_seed(0)
    members = (
        MemberSettings(model=ReaderSettings(), stream="bone"),
        MemberSettings(model=STGCNSettings(widths=(8,)), stream="joint-motion", temperature=3.0),
        MemberSettings(model=ReaderSettings(), temperature=0.5),
    )
    model, given = Fused(COCO, C, T, M, 5, FusedSettings(members=members)).eval(), batch(some_absent())
    each = []
    for member, told in zip(model.members, members, strict=True):
        each.append((member(stream(told.stream)(given)) / told.temperature).softmax(1))
    torch.testing.assert_close(model(given).exp(), torch.stack(each).mean(0))
    assert (each[0] - each[2]).abs().max() > 1e-3
