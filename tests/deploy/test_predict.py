"""Prediction: the same answers from a file as from the store, and one plain error for what does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ossein
from ossein.clip import Clip
from ossein.deploy import Predictor, load, read_card
from ossein.errors import DataError, OsseinError, SettingsError, SkeletonError
from ossein.evaluate.model import class_scores
from ossein.skeleton import Skeleton


@pytest.fixture(scope="module")
def model(recogniser_run) -> Predictor:
    return load(recogniser_run)


@pytest.fixture(scope="module")
def clips(fixed_store) -> list[Clip]:
    return [fixed_store.clip(i) for i in (3, 0, 12, 19)]


def save(path: Path, clips: list[Clip], **more) -> Path:
    """Clips as an archive of arrays, with score and length."""
    shape = (len(clips), max(c.num_persons for c in clips), max(c.num_frames for c in clips), *clips[0].x.shape[2:])
    x, score = np.zeros(shape, np.float32), np.zeros(shape[:-1], np.float32)
    for n, clip in enumerate(clips):
        x[n, : clip.num_persons, : clip.num_frames] = clip.x
        score[n, : clip.num_persons, : clip.num_frames] = clip.score
    arrays = {"x": x, "score": score, "length": [c.num_frames for c in clips], "name": [c.name for c in clips]}
    if clips[0].size:
        arrays["size"] = [c.size for c in clips]
    np.savez(path, **{key: value for key, value in {**arrays, **more}.items() if value is not None})
    return path


def test_four_lines(recogniser_run, clips, tmp_path):
    file = save(tmp_path / "someone.npz", clips)
    model = ossein.load(recogniser_run)
    answers = model.predict(file)
    best = answers[0].top[0]
    assert [answer.name for answer in answers] == [clip.name for clip in clips]
    assert best[0] in model.classes
    assert 0.25 <= best[1] <= 1


def test_a_file_and_the_store_agree(model, clips, fixed_store, tmp_path):
    from_store = class_scores(model.model, fixed_store, [3, 0, 12, 19], model.card.input)
    np.testing.assert_array_equal(model.scores(clips), from_store)
    for answers in (model.predict(save(tmp_path / "a.npz", clips)), model.predict(clips), model.predict(iter(clips))):
        for answer, row in zip(answers, from_store, strict=True):
            order = np.argsort(-row, kind="stable")
            assert [name for name, _ in answer.top] == [fixed_store.classes[k] for k in order]
            assert [p for _, p in answer.top] == pytest.approx(row[order])
            assert sum(p for _, p in answer.top) == pytest.approx(1, abs=1e-6)


def test_one_clip_and_fewer_classes(model, clips):
    (answer,) = model.predict(clips[0], top=2)
    assert len(answer.top) == 2
    assert answer.top[0][1] >= answer.top[1][1]
    assert answer.label == clips[0].label


def test_clips_do_not_see_each_other(model, clips):
    together = model.scores(clips)
    np.testing.assert_allclose(np.concatenate([model.scores([clip]) for clip in clips]), together, rtol=1e-5)


def test_a_clip_of_one_frame_and_one_of_nobody(model):
    one = Clip(np.full((1, 1, 17, 2), 100.0), np.ones((1, 1, 17)), "one", size=(640, 480))
    none = Clip(np.zeros((3, 5, 17, 2)), np.zeros((3, 5, 17)), "none", size=(640, 480))
    for answer in model.predict([one, none]):
        assert sum(p for _, p in answer.top) == pytest.approx(1, abs=1e-6)


def test_a_file_that_does_not_name_its_joints(model, clips, tmp_path):
    assert model.predict(save(tmp_path / "a.npz", clips))  # save names none: the model's are assumed


def test_joints_spelled_otherwise(model, clips, tmp_path):
    joints = [" ".join(reversed(name.split("_"))).title() for name in model.skeleton.joints]
    bones = np.array(model.skeleton.bones)
    answers = model.predict(save(tmp_path / "a.npz", clips, joint_names=joints, edges=bones))
    assert answers == model.predict(save(tmp_path / "b.npz", clips))


def test_joints_in_another_order_go_by_name(model, clips, tmp_path):
    turned = model.skeleton.permuted(np.random.default_rng(4).permutation(17).tolist())
    order = [model.skeleton.joints.index(joint) for joint in turned.joints]
    moved = [replace(clip, x=clip.x[:, :, order], score=clip.score[:, :, order]) for clip in clips]
    answers = model.predict(save(tmp_path / "a.npz", moved, joint_names=turned.joints))
    assert answers == model.predict(save(tmp_path / "b.npz", clips))
    assert answers != model.predict(save(tmp_path / "c.npz", moved))  # no names: the model's order is assumed


def test_joints_of_a_skeleton_that_only_the_model_knows_go_by_name(model, clips, tmp_path):
    mine = Skeleton.make("mine", [f"my_{joint}" for joint in model.skeleton.joints], model.skeleton.bones)
    other = Predictor(model.model, model.card.model_copy(update={"skeleton": mine.plain()}))
    order = list(range(16, -1, -1))
    moved = [replace(clip, x=clip.x[:, :, order], score=clip.score[:, :, order]) for clip in clips]
    file = save(tmp_path / "a.npz", moved, joint_names=[mine.joints[v] for v in order])
    assert other.predict(file) == model.predict(save(tmp_path / "b.npz", clips))


def test_other_joints_that_no_skeleton_has_are_not_taken_for_the_model_s(model, clips, tmp_path):
    names = [f"dog_{v}" for v in range(17)]
    with pytest.raises(SkeletonError, match=r"a\.npz: 'dog_0', 'dog_1', .* are no joints of coco-17"):
        model.predict(save(tmp_path / "a.npz", clips, joint_names=names))
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": names}))
    with pytest.raises(SkeletonError, match=r"b\.npz: 17 joints \(dog_0, .*and no built-in skeleton has"):
        model.predict(save(tmp_path / "b.npz", clips))


@pytest.fixture
def wrong(clips, tmp_path):
    """Files by what is wrong with them."""
    other = Skeleton.of("ntu-25")
    rng = np.random.default_rng(0)
    many = [Clip(rng.normal(size=(1, 4, 25, 2)), np.ones((1, 4, 25)), "many", size=(640, 480))]
    deep = [Clip(rng.normal(size=(1, 4, 17, 3)), np.ones((1, 4, 17)), "deep", size=(640, 480))]
    turned = Skeleton.of("coco-17").permuted(list(range(16, -1, -1)))
    names = {"joint_names": turned.joints, "edges": np.array(turned.bones)}
    (tmp_path / "noise.bin").write_bytes(b"\x00\x01")
    (tmp_path / "empty.csv").write_text("frame,joint,x,y\n")
    (tmp_path / "results.json").write_text("[]")
    return {
        "other joints": save(tmp_path / "other.npz", many, joint_names=other.joints, edges=np.array(other.bones)),
        "more joints": save(tmp_path / "many.npz", many),
        "three dimensions": save(tmp_path / "deep.npz", deep),
        "another order": save(tmp_path / "turned.npz", clips, **names),
        "no image size": save(tmp_path / "sizeless.npz", clips, size=None),
        "unknown": tmp_path / "noise.bin",
        "empty table": tmp_path / "empty.csv",
        "empty list": tmp_path / "results.json",
        "nothing": tmp_path / "nowhere.csv",
        "empty folder": tmp_path / "empty",
    }


@pytest.mark.parametrize(
    ("what", "kind", "told"),
    [
        ("other joints", SkeletonError, r"are those of ntu-25 \(25\), the model knows coco-17 \(17\)"),
        ("more joints", SkeletonError, "25 joints"),
        ("three dimensions", SkeletonError, r"clip 'deep': 17 joints in 3-D, the model knows 17 \(coco-17\) in 2-D"),
        ("another order", SkeletonError, "its joints are those of turned"),
        ("no image size", DataError, "clip 'clip 3': does not say the size of its image, which the model needs"),
        ("unknown", DataError, "looks like none of the formats"),
        ("empty table", DataError, "no rows"),
        ("empty list", DataError, "looks like none of the formats"),
        ("nothing", DataError, "does not exist"),
        ("empty folder", DataError, "looks like none of the formats"),
    ],
)
def test_what_does_not_fit(model, wrong, what, kind, told):
    (wrong["empty folder"]).mkdir()
    with pytest.raises(kind, match=told) as error:
        model.predict(wrong[what])
    assert str(error.value).startswith(f"{wrong[what]}")
    assert str(error.value).count(str(wrong[what])) == 1


def test_clips_that_do_not_fit(model, clips):
    with pytest.raises(SkeletonError, match=r"clip 'x': 5 joints in 2-D"):
        model.predict(Clip(np.ones((1, 2, 5, 2)), np.ones((1, 2, 5)), "x"))
    with pytest.raises(DataError, match=r"there is no clip. Give one or more"):
        model.predict([])
    with pytest.raises(SettingsError, match=r"top is 0, expected 1 or more"):
        model.predict(clips, top=0)
    with pytest.raises(OsseinError, match=r"no format is called 'piskl'. Did you mean 'pyskl'"):
        model.predict("clips.pkl", format="piskl")


def test_the_format_may_be_named(model, clips, tmp_path):
    file = save(tmp_path / "a.npz", clips)
    assert model.predict(file, format="table") == model.predict(file)
    with pytest.raises(DataError):
        model.predict(file, format="pyskl")


def test_cards_and_models_agree(recogniser_run, model):
    assert json.loads((recogniser_run / "bundle" / "bundle.json").read_text())["classes"] == list(model.classes)
    assert read_card(recogniser_run)[1] == model.card
