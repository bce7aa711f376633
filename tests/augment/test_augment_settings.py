import pytest
import torch

from ossein.augment import AugmentSettings, Compose, build
from ossein.augment.corrupt import DropFrames, DropJoints, Jitter, Reshape
from ossein.augment.occlude import Occlude
from ossein.augment.space import Mirror, Move, Rotate, Scale, Shear
from ossein.augment.time import Crop
from ossein.draw import Draw
from ossein.errors import SettingsError

EVERYTHING = {
    "crop": (0.5, Crop(0.5, 1)),
    "mirror": (0.25, Mirror(0.25)),
    "rotate": (0.3, Rotate(0.3)),
    "scale": (0.25, Scale(0.75, 1.25)),
    "shear": (0.5, Shear(0.5)),
    "move": (2.0, Move(2.0)),
    "reshape": (0.2, Reshape(0.2)),
    "jitter": (0.02, Jitter(0.02)),
    "drop_joints": (0.1, DropJoints(0.1)),
    "drop_frames": (0.2, DropFrames(0.2)),
    "occlude": (0.3, Occlude(0.3)),
}


def test_the_default_is_the_noise_of_the_paper():
    assert build(AugmentSettings()) == Compose((Jitter(0.01),))


def test_every_field_builds_its_step_in_the_order_of_the_fields():
    assert list(EVERYTHING) == list(AugmentSettings.model_fields)
    full = AugmentSettings(**{key: amount for key, (amount, _) in EVERYTHING.items()})
    assert build(full).steps == tuple(step for _, step in EVERYTHING.values())
    for key, (amount, step) in EVERYTHING.items():
        assert build(AugmentSettings(**{"jitter": 0.0, key: amount})).steps == (step,)


def test_nothing_is_nothing(bodies):
    batch = bodies("coco-17")
    out = build(AugmentSettings(jitter=0.0))(batch, Draw.of(0))
    assert torch.equal(out.x, batch.x)


def test_steps_are_taken_one_after_another(bodies):
    batch, draw = bodies("coco-17"), Draw.of(4)
    want = Jitter(0.1)(Rotate(0.3)(batch, draw), draw)
    assert torch.equal(build(AugmentSettings(rotate=0.3, jitter=0.1))(batch, Draw.of(4)).x, want.x)


@pytest.mark.parametrize("key", list(EVERYTHING))
def test_fields_out_of_range(key):
    for value in (-0.1, 1e7):
        with pytest.raises(SettingsError, match=f"field '{key}'"):
            AugmentSettings.read({key: value})
    assert AugmentSettings.model_fields[key].description


def test_largest_values_still_build():
    most = {"crop": 0.999, "mirror": 1, "rotate": 3.14159, "scale": 0.999, "shear": 1, "jitter": 1, "drop_joints": 1}
    assert len(build(AugmentSettings.read({**most, "drop_frames": 1, "occlude": 1})).steps) == 9
