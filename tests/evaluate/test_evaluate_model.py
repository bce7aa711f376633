"""What a model says of clips, against one clip and one window at a time."""

import numpy as np
import pytest
import torch

from ossein.augment import normaliser
from ossein.clip import Batch
from ossein.encoders import EncoderSettings, Mixer, MixerSettings, build_encoder, thin
from ossein.evaluate.model import class_scores, encoder_features, model_features
from ossein.store import Store
from ossein.store.sample import sample_test
from ossein.tasks import STRL, STRLSettings
from ossein.train import InputSettings

INDICES = [3, 0, 11, 8, 19]
INPUT = InputSettings(frames=6, persons=2, views=3, share=0.7)


@pytest.fixture(scope="module")
def model(fixed_store: Store) -> STRL:
    torch.manual_seed(0)
    settings = STRLSettings(encoder=EncoderSettings(width=8, depth=1), layers=1)
    return STRL(fixed_store.skeleton, 2, 6, 2, 4, settings).eval()


def windows(store: Store) -> list[list[Batch]]:
    """Every window of every clip as a batch of one."""
    whole = [normaliser("image")(sample_test(store, [i], 6, 0.7, 3, 2)) for i in INDICES]
    fields = ("x", "score", "label", "index", "size")
    return [[b.change(**{key: getattr(b, key)[v : v + 1] for key in fields}) for v in range(3)] for b in whole]


@pytest.mark.parametrize("size", [1, 6, 64])
def test_class_scores_are_mean_probabilities_over_windows(fixed_store, model, size):
    scores = class_scores(model, fixed_store, INDICES, INPUT, size)
    with torch.no_grad():
        slow = [np.mean([model(one).softmax(1)[0].numpy() for one in views], 0) for views in windows(fixed_store)]
    np.testing.assert_allclose(scores, slow, rtol=1e-5)
    assert scores.dtype == np.float32


def test_model_features_are_what_the_head_reads(fixed_store, model):
    z = model_features(model, fixed_store, INDICES, INPUT)
    with torch.no_grad():
        slow = [np.mean([model.features(one)[0].numpy() for one in views], 0) for views in windows(fixed_store)]
    np.testing.assert_allclose(z, slow, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["gin", "mixer"])
def test_encoder_features_are_mean_and_maximum_over_time_and_then_over_persons(fixed_store, kind):
    torch.manual_seed(0)
    small = {"width": 4, "depth": 1}
    skeleton = fixed_store.skeleton
    mixer = Mixer(skeleton, 2, MixerSettings(**small))
    encoder = (mixer if kind == "mixer" else build_encoder(skeleton, 2, EncoderSettings(**small))).eval()
    z = encoder_features(encoder, fixed_store, INDICES, INPUT)
    assert z.shape == (5, 2 * 17 * encoder.width)
    for row, views in zip(z, windows(fixed_store)):
        slow = []
        for one in views:
            with torch.no_grad():
                grid = encoder(one.x, one.score == 0, one.present)[0].numpy()
            there, persons = thin(one.present, encoder.stride)[0], []
            for m in range(2):
                seen = [grid[m, t] for t in range(grid.shape[1]) if there[m, t]]
                if seen:
                    persons.append(np.concatenate([np.mean(seen, 0), np.max(seen, 0)], -1).ravel())
            slow.append(np.mean(persons, 0))
        np.testing.assert_allclose(row, np.mean(slow, 0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(fixed_store, model, training):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train(training)
    class_scores(model, fixed_store, INDICES, INPUT)
    assert model.training is training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    model.eval()


def test_a_model_that_breaks_is_left_as_it_was(fixed_store, model):
    with pytest.raises(ValueError, match=r"3-D"):
        class_scores(model.train(), fixed_store, INDICES, INPUT.change(normalise="facing"))
    assert model.training
    model.eval()
