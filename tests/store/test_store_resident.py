"""A store on a device: the batches that the file gives, to the bit, and nothing on the way that lies elsewhere."""

import numpy as np
import pytest
import torch

from ossein.augment import AugmentSettings
from ossein.clip import Batch, Clip
from ossein.skeleton import Skeleton
from ossein.store.memory import Memory
from ossein.store.resident import Resident, resident_bytes
from ossein.store.sample import sample_test, sample_train
from ossein.store.several import Several
from ossein.train import Feed, InputSettings

EVERYTHING = {
    "crop": 0.3,
    "mirror": 0.5,
    "rotate": 0.3,
    "scale": 0.1,
    "shear": 0.1,
    "move": 0.1,
    "reshape": 0.1,
    "jitter": 0.02,
    "drop_joints": 0.2,
    "drop_frames": 0.2,
    "occlude": 0.5,
}
NOTHING = dict.fromkeys(EVERYTHING, 0.0)
FIELDS = ("x", "score", "label", "index", "size")


def same(a: Batch, b: Batch) -> None:
    for name in FIELDS:
        # Not `torch.equal`, to which 0 and -0 are one, and NaN is none.
        own, other = getattr(a, name).numpy(), getattr(b, name).numpy()
        assert own.dtype == other.dtype, name
        assert own.tobytes() == other.tobytes(), name


def feed(store, augment, **input) -> Feed:
    settings = InputSettings(**{"frames": 8, "persons": 2, **input})
    return Feed(store, np.arange(14), settings, AugmentSettings(**augment), 5, 0, np.arange(14, 18), 2)


@pytest.mark.parametrize("augment", [*AugmentSettings.model_fields, "everything", "nothing"])
def test_batches_are_the_same_whatever_is_done_to_them(fixed_store, augment):
    amounts = (
        EVERYTHING if augment == "everything" else NOTHING | {k: EVERYTHING[k] for k in EVERYTHING if k == augment}
    )
    near = Resident.of(fixed_store, "cpu")
    for step in range(3):
        same(feed(near, amounts).at(step)[0], feed(fixed_store, amounts).at(step)[0])


@pytest.mark.parametrize("normalise", ["image", "centre", "none"])
@pytest.mark.parametrize("stream", ["joint", "bone", "joint-motion", "bone-motion"])
def test_batches_are_the_same_however_they_are_prepared(fixed_store, normalise, stream):
    near, input = Resident.of(fixed_store, "cpu"), {"normalise": normalise, "stream": stream, "persons": 1}
    same(feed(near, EVERYTHING, **input).at(2)[0], feed(fixed_store, EVERYTHING, **input).at(2)[0])


@pytest.mark.parametrize("frames", [1, 8, 40])
def test_windows_are_the_same(fixed_store, frames):
    near, some = Resident.of(fixed_store, "cpu"), [3, 0, 19, 3]
    same(sample_test(near, some, frames, 0.9, 3), sample_test(fixed_store, some, frames, 0.9, 3))
    same(sample_train(near, some, frames), sample_train(fixed_store, some, frames))
    same(sample_train(near, [], frames), sample_train(fixed_store, [], frames))


def test_any_rows_can_be_moved_some_at_a_time(fixed_store, synthetic_store, monkeypatch):
    monkeypatch.setattr("ossein.store.resident._PART", 7)
    clips = Memory.of([fixed_store.clip(i) for i in range(6)], fixed_store.skeleton)
    both = Several([fixed_store, synthetic_store()])
    for store in (fixed_store, clips, both):
        near = Resident.of(store, "cpu")
        assert 4 * (near.x.numel() + near.score.numel()) == resident_bytes(store)
        some = np.arange(len(store.frames))
        same(sample_test(near, some, 8), sample_test(store, some, 8))


@pytest.mark.parametrize(("normalise", "dims"), [("centre", 2), ("none", 2), ("facing", 3)])
@pytest.mark.parametrize("stream", ["joint", "bone-motion"])
def test_nothing_is_made_where_the_store_does_not_lie(normalise, dims, stream):
    """On `meta`, a device without numbers: operations on it and on the CPU at once are refused, and so is asking for a value."""
    joints = Skeleton.of("ntu-25" if dims == 3 else "coco-17")
    shape = (2, 9, len(joints), dims)
    clips = Memory.of([Clip(np.ones(shape), np.ones(shape[:-1]), size=(640, 480))] * 18, joints)
    near = Resident.of(clips, "meta")
    batch, _ = feed(near, EVERYTHING, normalise=normalise, stream=stream).at(0)
    assert {getattr(batch, name).device.type for name in FIELDS} == {"meta"}
    assert batch.x.shape == (7, 2, 8, len(joints), dims)
    assert sample_test(near, [0, 1], 8, 0.9, 2).x.device.type == "meta"


def test_meta_refuses_what_a_gpu_would():
    a, b = torch.ones(3, device="meta"), torch.ones(3)
    for mixed in (lambda: a + b, lambda: torch.where(a > 0, a, b), lambda: torch.stack([a, b]), lambda: bool(a.all())):
        with pytest.raises(RuntimeError):
            mixed()
