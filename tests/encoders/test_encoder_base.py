"""What encoders share: their names, their settings, and the order of graphs."""

from typing import get_args

import pytest
import torch

from ossein.encoders import GRAPH_ENCODERS, EncoderSettings, build_encoder, to_graphs
from ossein.errors import SettingsError
from ossein.skeleton import Skeleton


def test_the_settings_offer_the_registered_encoders():
    assert set(get_args(EncoderSettings.model_fields["kind"].annotation)) == set(GRAPH_ENCODERS)
    for kind, encoder in GRAPH_ENCODERS.items():
        assert type(build_encoder(Skeleton.of("coco-17"), 2, EncoderSettings.read({"kind": kind}))) is encoder


def test_the_defaults_are_those_of_the_paper():
    assert EncoderSettings() == EncoderSettings(kind="gin", width=64, depth=3)


@pytest.mark.parametrize("field", [{"width": 6}, {"width": 0}, {"depth": 0}, {"kind": "gi"}])
def test_settings_out_of_range_are_refused(field: dict[str, object]):
    with pytest.raises(SettingsError, match=f"field '{next(iter(field))}'"):
        EncoderSettings.read(field)


def test_graphs_are_joint_major_and_in_the_order_of_clips_persons_frames():
    N, M, T, V, C = 3, 2, 5, 17, 2
    x = torch.randn(N, M, T, V, C)
    graphs = to_graphs(x)
    assert graphs.shape == (V, N * M * T, C)
    assert torch.equal(graphs[3, (1 * M + 1) * T + 4], x[1, 1, 4, 3])
    rows = torch.tensor([7, 0])
    assert torch.equal(to_graphs(x, rows), graphs[:, rows])
    assert torch.equal(to_graphs(x[..., 0], rows), graphs[:, rows, 0])
