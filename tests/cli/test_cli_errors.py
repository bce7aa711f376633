"""Bad files and data that do not fit, as a user meets them: one clear line and nothing half-written."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from runs import SHORT

from ossein.clip import Clip
from ossein.readers.base import Source
from ossein.readers.unpickle import load_pickle
from ossein.skeleton import Skeleton
from ossein.store import Store, write_store


class Evil:
    """A pickle of it makes a file `ran` in the working folder when it is opened by Python."""

    def __reduce__(self):
        return (Path.touch, (Path("ran"),))


def annotation(number, label=0, frames=6, joints=17, **fields):
    rng = np.random.default_rng(number)
    pose = rng.uniform(10, 200, (1, frames, joints, 2)).astype(np.float32)
    score = np.ones((1, frames, joints), np.float32)
    clip = {"frame_dir": f"clip{number}", "label": label, "total_frames": frames, "img_shape": (240, 320)}
    return {**clip, "keypoint": pose, "keypoint_score": score, **fields}


def annotations(path, clips, **splits):
    path.write_bytes(pickle.dumps({"split": splits, "annotations": clips}))
    return path


def skeleton_file(frames=3, joints=25):
    lines = [str(frames)]
    for t in range(frames):
        body = [f"{v / 10} {t / 10} 3.0 0 0 0 0 0 0 0 0 2" for v in range(joints)]
        lines += ["1", "72057594037931101 0 1 1 0 1 0 0.02 -0.1 2", str(joints), *body]
    return "\n".join(lines) + "\n"


def kinetics(folder, change):
    frames = [{"frame_index": t + 1, "skeleton": [{"pose": [0.5] * 36, "score": [0.9] * 18}]} for t in range(3)]
    clip = {"data": frames, "label": "yoga", "label_index": 0}
    change(clip)
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(clip))


def nan_pose():
    clip = annotation(0)
    clip["keypoint"][0, 2, 3, 1] = np.nan
    return clip


CASES = {
    "a pickle that runs code": (
        lambda: Path("evil.pkl").write_bytes(pickle.dumps(Evil())),
        "data prepare pyskl evil.pkl out.clips",
        "evil.pkl: the file tries to load",
    ),
    "a pickle that runs code, hidden deep": (
        lambda: annotations(Path("evil.pkl"), [annotation(0, note=[Evil()])]),
        "data prepare auto evil.pkl out.clips",
        "evil.pkl: the file tries to load",
    ),
    "a pickle that runs code, to be recognised": (
        lambda: Path("evil.pkl").write_bytes(pickle.dumps(Evil())),
        "predict RECOGNISER evil.pkl",
        "evil.pkl: ",
    ),
    "a pickle cut short": (
        lambda: Path("cut.pkl").write_bytes(annotations(Path("all.pkl"), [annotation(0)]).read_bytes()[:-99]),
        "data prepare pyskl cut.pkl out.clips",
        "cut.pkl: is not a whole pickle",
    ),
    "a truncated .skeleton": (
        lambda: Path("S001C001P001R001A001.skeleton").write_text(skeleton_file()[:-700]),
        "data prepare ntu S001C001P001R001A001.skeleton out.clips",
        "S001C001P001R001A001.skeleton:",
    ),
    "a .skeleton with too few joints": (
        lambda: Path("S001C001P001R001A001.skeleton").write_text(skeleton_file(joints=24)),
        "data prepare ntu S001C001P001R001A001.skeleton out.clips",
        "S001C001P001R001A001.skeleton:4: 24 joints",
    ),
    "a JSON with a missing key": (
        lambda: kinetics(Path("k"), lambda clip: clip["data"][1]["skeleton"][0].pop("score")),
        "data prepare kinetics k out.clips",
        "'score'",
    ),
    "a JSON cut short": (
        lambda: Path("a.json").write_text('{"data": [{"frame_index": 1, "skeleton": ['),
        "data prepare kinetics a.json out.clips",
        "a.json:1: is not valid JSON",
    ),
    "a NaN in a JSON": (
        lambda: kinetics(Path("k"), lambda clip: clip["data"][1]["skeleton"][0]["pose"].__setitem__(4, float("nan"))),
        "data prepare kinetics k out.clips",
        "nan",
    ),
    "a NaN coordinate of a joint that is said to be seen": (
        lambda: annotations(Path("n.pkl"), [nan_pose()]),
        "data prepare pyskl n.pkl out.clips --skeleton coco-17",
        "n.pkl: clip 'clip0': coordinate",
    ),
    "a number that is infinite in a table": (
        lambda: Path("t.csv").write_text("frame,joint,x,y\n0,nose,1,2\n0,left_eye,inf,2\n"),
        "data prepare table t.csv out.clips --skeleton coco-17",
        "is not finite",
    ),
    "an empty split": (
        lambda: annotations(Path("e.pkl"), [annotation(0), annotation(1)], a_train=["clip0", "clip1"], a_val=[]),
        "data prepare pyskl e.pkl e.clips --skeleton coco-17 && recognise ssl e.clips --split a",
        "e.clips: no split is called 'a'.",
    ),
    "a wrong joint count": (
        lambda: annotations(Path("w.pkl"), [annotation(0), annotation(1, joints=16)]),
        "data prepare pyskl w.pkl out.clips --skeleton coco-17",
        "16 joints, expected 17 (coco-17)",
    ),
    "no skeleton": (
        lambda: annotations(Path("w.pkl"), [annotation(0, joints=16)]),
        "data prepare pyskl w.pkl out.clips",
        "--skeleton",
    ),
    "a store cut short": (
        lambda: (
            shutil.copy("FIXED", "cut.clips") and Path("cut.clips").write_bytes(Path("cut.clips").read_bytes()[:-5])
        ),
        "pretrain skeletonmae cut.clips --split half",
        "cut.clips: ",
    ),
    "a store that is none": (
        lambda: Path("my.clips").write_text("hello"),
        "evaluate RECOGNISER my.clips",
        "my.clips: ",
    ),
    "a bundle for another skeleton, to be evaluated": (
        lambda: None,
        "evaluate RECOGNISER OTHER",
        "the model knows coco-17 in 2-D, other.clips holds kinect-20 in 3-D",
    ),
    "a bundle for another skeleton, to start from": (
        lambda: None,
        "recognise ssl OTHER --from PRETRAINED",
        "the model knows coco-17 in 2-D, other.clips holds kinect-20 in 3-D",
    ),
    "a bundle for another skeleton, to predict with": (
        lambda: Path("S001C001P001R001A001.skeleton").write_text(skeleton_file()),
        "predict RECOGNISER S001C001P001R001A001.skeleton",
        "its joints are those of ntu-25 (25), the model knows coco-17 (17)",
    ),
    "an encoder where a recogniser is wanted": (
        lambda: None,
        "predict PRETRAINED file.csv",
        "holds a pre-trained encoder, which names no classes yet",
    ),
    "a folder where a file is to be": (
        lambda: Path("out.clips").mkdir() or annotations(Path("w.pkl"), [annotation(0)]),
        "data prepare pyskl w.pkl out.clips --overwrite --skeleton coco-17",
        "out.clips: is a folder",
    ),
}


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Store:
    """A store of another skeleton."""
    rng = np.random.default_rng(0)
    clips = [Clip(rng.normal(size=(1, 5, 20, 3)), np.ones((1, 5, 20)), str(n), n % 2) for n in range(4)]
    splits = {"train": ("0", "1"), "test": ("2", "3")}
    source = Source(iter(clips), skeleton=Skeleton.of("kinect-20"), classes=("a", "b"), splits=splits)
    return write_store(source, tmp_path_factory.mktemp("other") / "other.clips")


@pytest.mark.parametrize("case", CASES)
def test_one_clear_line(case, cli, tmp_path, fixed_store, recogniser_run, pretrained_run, other, monkeypatch):
    make, words, told = CASES[case]
    copy = shutil.copy
    monkeypatch.setattr(shutil, "copy", lambda source, to: copy(fixed_store.path if source == "FIXED" else source, to))
    make()
    places = {"RECOGNISER": recogniser_run, "PRETRAINED": pretrained_run, "OTHER": other.path}
    *first, last = ([places.get(word, word) for word in call.split()] for call in words.split(" && "))
    for call in first:
        assert cli(*call).code == 0
    folders = (tmp_path, recogniser_run, pretrained_run)
    before = [sorted(folder.rglob("*")) for folder in folders]
    done = cli(*last)
    assert done.code == 1
    assert done.err.startswith("ossein: ")
    assert done.err.count("\n") == 1
    assert told in done.err
    assert "Traceback" not in done.out + done.err
    assert [sorted(folder.rglob("*")) for folder in folders] == before
    assert not (tmp_path / "ran").exists()


def test_an_empty_cell_of_a_table_is_an_absent_joint(cli, tmp_path):
    rows = ["frame,joint,x,y", "0,nose,1,2", "0,left_eye,nan,2", "0,right_eye,,"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    assert cli("data", "prepare", "table", "t.csv", "t.clips", "--skeleton", "coco-17").code == 0
    assert (Store.open(tmp_path / "t.clips").clip(0).score > 0).sum() == 1


def test_clips_of_one_frame_go_all_the_way(cli, tmp_path):
    clips = [annotation(n, label=n % 2, frames=1) for n in range(8)]
    names = [clip["frame_dir"] for clip in clips]
    annotations(tmp_path / "one.pkl", clips, train=names[:6], val=names[6:])
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": "COCO-17", "class_names": ["up", "down"]}))
    for words in (
        ["data", "prepare", "pyskl", "one.pkl", "one.clips"],
        ["pretrain", "skeletonmae", "one.clips", "--out", "p", *SHORT],
        ["recognise", "ssl", "one.clips", "--from", "p", "--out", "r", *SHORT[:2], *SHORT[6:]],
        ["evaluate", "r", "one.clips"],
        ["predict", "r", "one.pkl"],
    ):
        done = cli(*words)
        assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 8


def test_the_five_commands_on_real_data(cli, tmp_path, real_data):
    """The README's commands on a tenth of NW-UCLA: Kinect-20, 3-D, its own joint names, classes and splits."""
    folder = real_data("nw_ucla")
    data = load_pickle(folder / "nw_ucla.pkl")
    clips = [
        {key: np.asarray(v) if key.startswith("keypoint") else v for key, v in one.items()}
        for one in data["annotations"][::10]
    ]
    names = {clip["frame_dir"] for clip in clips}
    splits = {name: [one for one in members if one in names] for name, members in data["split"].items()}
    annotations(tmp_path / "nw_ucla.pkl", clips, **splits)
    shutil.copy(folder / "meta.json", tmp_path / "meta.json")
    for words in (
        ["data", "prepare", "pyskl", "nw_ucla.pkl", "ucla.clips"],
        ["pretrain", "skeletonmae", "ucla.clips", "--split", "xview1", "--out", "p", *SHORT],
        ["recognise", "ssl", "ucla.clips", "--from", "p", "--split", "xview1", "--out", "r", *SHORT[:2], *SHORT[6:]],
        ["evaluate", "r", "ucla.clips"],
        ["predict", "r", "nw_ucla.pkl"],
    ):
        done = cli(*words)
        assert done.code == 0, done.err
    store = Store.open(tmp_path / "ucla.clips")
    assert len(done.out.splitlines()) == len(store) == len(names)
    assert json.loads((tmp_path / "r" / "results.json").read_text())["runs"][0]["num_clips"] == len(
        store.splits["xview1_val"]
    )
    assert len(store.classes) == 10
