"""Presets: the paper's numbers to the letter, and nothing left open for any kind of data."""

import numpy as np
import pytest

from ossein.deploy import read_card
from ossein.encoders import MixerSettings
from ossein.errors import BundleError
from ossein.pretrain import SkeletonMAE, TubeMAESettings, build_method
from ossein.recipes import presets
from ossein.recipes.presets import (
    MANY,
    PRETRAIN,
    RECOGNISE,
    Facts,
    PretrainSettings,
    RecogniseSettings,
    fast_precision,
    skeletonmae,
    ssl,
    stgcn,
)
from ossein.skeleton import Skeleton, builtin_names
from ossein.tasks import STRL, STGCNSettings, build_recogniser


def facts(name="coco-17", dims=2, persons=2, sizes=True, num=1000):
    return Facts(Skeleton.of(name), dims, persons, sizes, num)


def test_parts_are_hidden_by_their_names():
    """Whatever their numbers are: a body without a head has them elsewhere."""
    joints = [joint for joint in Skeleton.of("coco-17").joints if joint.split("_")[-1] not in ("nose", "eye", "ear")]
    headless = Skeleton.make("headless", joints, [(i, i + 2) for i in range(10)] + [(0, 1), (0, 6)])
    hidden = skeletonmae(Facts(headless, 2, 1, True, 100)).model.mask
    assert {list(headless.parts)[i] for i in hidden.parts} == {"right_arm", "right_leg"}
    assert hidden.parts != (3, 5)
    assert skeletonmae(facts()).model.mask.parts == skeletonmae(facts("hand-21")).model.mask.parts == (3, 5)
    plain = Skeleton.of("coco-17").plain()
    single = Skeleton.from_plain({**plain, "parts": {"body": list(range(17))}})
    whole = skeletonmae(Facts(single, 2, 1, True, 100)).model
    assert whole.mask.kind == "random-joints"
    build_method(single, 2, 4, 1, whole)


def test_persons_are_counted_in_clips_to_train_on(fixed_store):
    """Every second clip of it has two."""
    assert [Facts.of(fixed_store, np.array(own, int)).persons for own in ([0, 2], [0, 1], [])] == [1, 2, 1]


def test_pre_training_as_in_the_paper():
    s = skeletonmae(facts(num=MANY))
    assert (s.optim.kind, s.optim.lr, s.optim.weight_decay, s.optim.schedule) == ("adam", 1.5e-4, 0, "constant")
    assert (s.train.epochs, s.train.batch) == (50, 1024)
    assert (s.input.frames, s.input.persons, s.input.normalise, s.input.stream) == (64, 2, "image", "joint")
    assert (s.model.encoder.kind, s.model.encoder.width, s.model.encoder.depth) == ("gin", 64, 3)
    assert (s.model.mask.kind, s.model.mask.parts, s.model.beta) == ("parts", (3, 5), 2)
    assert (s.model.detach, s.model.remask) == (True, False)


def test_fine_tuning_as_in_the_paper():
    s = ssl(facts())
    assert (s.optim.kind, s.optim.lr, s.optim.momentum, s.optim.weight_decay) == ("sgd", 0.1, 0.9, 5e-4)
    assert [round(110 * share, 9) for share in (s.optim.warmup, *s.optim.drops)] == [5, 90, 100]
    assert (s.train.epochs, s.train.batch, s.smoothing) == (110, 128, 0.1)
    assert (s.model.layers, s.model.combine, s.model.share_encoders) == (3, "concat", False)
    assert s.input.crop == (0.5, 1.0)


def test_few_clips_read_the_batch_as_frames():
    assert skeletonmae(facts(num=MANY - 1)).train.batch * 64 == 1024


@pytest.mark.parametrize(
    ("of", "normalise"),
    [
        (facts(), "image"),
        (facts(sizes=False), "centre"),
        (facts("ntu-25", dims=3, sizes=False), "facing"),
        (facts("hand-21", dims=3, sizes=False), None),
    ],
)
def test_normalisation_fits_the_data(of, normalise):
    if normalise is None:
        normalise = "facing" if of.skeleton.up and of.skeleton.across else "centre"
    assert skeletonmae(of).input.normalise == ssl(of).input.normalise == normalise


@pytest.mark.parametrize("name", builtin_names())
def test_models_can_be_built_on_every_skeleton(name):
    of = facts(name, persons=1)
    method = SkeletonMAE(of.skeleton, 2, 8, 1, skeletonmae(of).model)
    assert 0 < method.mask.count < len(of.skeleton)
    STRL(of.skeleton, 2, 8, 1, 3, ssl(of).model)
    assert ssl(of).input.persons == 1


@pytest.mark.parametrize("dims", [2, 3])
def test_every_preset_makes_what_it_says_for_any_data(dims):
    of = facts("ntu-25", dims=dims)
    for preset in PRETRAIN.values():
        s = preset(of)
        assert build_method(of.skeleton, dims, s.input.frames, s.input.persons, s.model).encoder.width > 0
        assert PretrainSettings.read(s.plain()) == s
    for preset in RECOGNISE.values():
        s = preset(of, None)
        assert build_recogniser(of.skeleton, dims, s.input.frames, s.input.persons, 3, s.model).shape[-1] == dims
        assert RecogniseSettings.read(s.plain()) == s


@pytest.mark.parametrize(("dims", "rotate"), [(2, 0.2), (3, 0.5)])
def test_the_preset_of_our_own(dims, rotate):
    of = facts("ntu-25", dims=dims, persons=1)
    before, after = PRETRAIN["ossein"](of), RECOGNISE["ossein"](of, None)
    assert before.model.encoder == after.model.encoder == MixerSettings()
    two = facts("ntu-25", dims=dims, persons=2)
    for s in (PRETRAIN["ossein"](two), RECOGNISE["ossein"](two, None)):
        assert s.model.encoder == MixerSettings(reads=("coordinates", "relations"))
    for s in (before, after):
        assert s.input.persons == 1
        assert s.input.normalise == ("facing" if dims == 3 else "centre")  # never by the size of the image
        assert (s.augment.mirror, s.augment.rotate, s.augment.occlude) == (0.5, rotate, 0)
    assert (before.input.views, after.input.views) == (1, 3)
    # The pupil's view is varied as all clips are, and cut and occluded besides.
    assert after.teach.spoil == after.augment.change(crop=0.5, occlude=0.3)
    assert before.model.contrast.spoil == after.augment.change(crop=0.5, reshape=0.1)
    assert all(RECOGNISE[other](of, None).teach is None for other in ("ssl", "stgcn"))


def test_clips_that_have_a_side_are_not_mirrored():
    both, sided = facts(), Facts(Skeleton.of("coco-17"), 2, 2, True, 1000, handed=0.8)
    for of, share in ((both, 0.5), (sided, 0)):
        recognise = RECOGNISE["ossein"](of, None)
        assert recognise.teach is not None
        each = (PRETRAIN["ossein"](of), recognise, recognise.teach, stgcn(of))
        assert {(s.spoil if hasattr(s, "spoil") else s.augment).mirror for s in each} == {share}


def test_the_side_is_told_by_training_clips_and_by_other_people(fixed_store, monkeypatch):
    asked = []
    monkeypatch.setattr(presets, "handedness", lambda *given: asked.append(given) or 0.8)
    of = Facts.of(fixed_store, np.arange(3, 9))
    ((store, clips, people),) = asked
    assert store is fixed_store
    assert clips.tolist() == [3, 4, 5, 6, 7, 8]
    assert people.tolist() == fixed_store.subjects.tolist()
    assert (of.handed, of.mirror, of.num_train) == (0.8, 0, 6)
    assert Facts.of(fixed_store, np.arange(0)).mirror == 0.5  # nothing is known
    assert len(asked) == 1


@pytest.mark.parametrize(("handed", "mirror"), [(0.5, 0.5), (0.74, 0.5), (0.75, 0), (1, 0)])
def test_from_three_quarters_on_nothing_is_mirrored(handed, mirror):
    assert Facts(Skeleton.of("coco-17"), 2, 2, True, 1000, handed=handed).mirror == mirror


def test_a_body_without_sides_is_not_mirrored():
    worm = Skeleton.make("worm", ["a", "b", "c"], [(0, 1), (1, 2)])
    of = Facts(worm, 2, 1, False, 10)
    assert PRETRAIN["ossein"](of).augment.mirror == RECOGNISE["ossein"](of, None).teach.spoil.mirror == 0


@pytest.mark.parametrize("num_parts", [2, 4])
def test_skeletons_with_few_parts(num_parts):
    joints = ["a", "b", "c", "d"]
    parts = {str(n): joints[n : n + 1] if n < num_parts - 1 else joints[n:] for n in range(num_parts)}
    skeleton = Skeleton.make("few", joints, [(0, 1), (1, 2), (2, 3)], parts=parts)
    method = SkeletonMAE(skeleton, 2, 8, 1, skeletonmae(Facts(skeleton, 2, 1, False, 10)).model)
    assert 0 < method.mask.count < 4


def test_fine_tuning_keeps_what_pre_training_had(pretrained_run):
    card = read_card(pretrained_run)[1]
    card = card.change(input=card.input.change(normalise="centre", stream="bone"))
    s = ssl(facts(), card)
    assert s.model.encoder == card.model.encoder
    assert (s.input.normalise, s.input.stream) == ("centre", "bone")
    with pytest.raises(
        BundleError, match=r"'skeletonmae' has an encoder of the kind 'gin', .* 'ossein recognise ssl'\.$"
    ):
        RECOGNISE["ossein"](facts(), card)
    card = card.change(model=TubeMAESettings(encoder=MixerSettings(width=20)))
    own = RECOGNISE["ossein"](facts(), card)
    assert own.model.encoder.width == 20
    assert (own.input.normalise, own.input.stream) == ("centre", "bone")
    with pytest.raises(BundleError, match=r"'skeletonmae' has an encoder of the kind 'mixer', .* recognise ossein'\.$"):
        ssl(facts(), card)


def test_the_baseline_fits_the_data():
    s = stgcn(facts())
    assert s.model == STGCNSettings()
    assert (s.input.frames, s.input.persons, s.input.normalise) == (32, 2, "centre")
    assert (s.optim.kind, s.optim.schedule) == ("adamw", "cosine")
    assert stgcn(facts("ntu-25", dims=3, sizes=False)).input.normalise == "facing"
    assert s.augment.mirror == 0.5
    assert stgcn(facts("hand-21")).augment.mirror == (0.5 if Skeleton.of("hand-21").pairs else 0)


def test_every_recogniser_sees_clips_as_pre_training_did(pretrained_run):
    card = read_card(pretrained_run)[1]
    card = card.change(input=card.input.change(normalise="none", stream="bone"))
    mixed = card.change(model=TubeMAESettings())
    for name, preset in RECOGNISE.items():
        s = preset(facts(), mixed if name == "ossein" else card)
        assert (s.input.normalise, s.input.stream) == ("none", "bone")


@pytest.mark.parametrize(
    ("flags", "precision"), [("flags : sse avx512_bf16", "bf16"), ("flags : sse avx2", "fp32"), ("", "fp32")]
)
def test_precision_is_what_the_processor_has(monkeypatch, flags, precision):
    monkeypatch.setattr(presets.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(presets, "_cpu_flags", lambda: flags)
    assert fast_precision() == precision
    assert ssl(facts()).train.precision == precision
    assert skeletonmae(facts()).train.precision == "fp32"  # cosines close to 1 are told apart in fp32 only
    assert skeletonmae(facts()).train.device == ssl(facts()).train.device == "cpu"


def test_precision_on_a_gpu(monkeypatch):
    monkeypatch.setattr(presets.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(presets.torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert fast_precision() == "fp32"
    assert ssl(facts()).train.device == "cuda"


def test_no_list_of_processors(monkeypatch):
    def fail(*_, **__):
        raise OSError

    monkeypatch.setattr("builtins.open", fail)
    monkeypatch.setattr(presets.torch.cuda, "is_available", lambda: False)
    assert fast_precision() == "fp32"
