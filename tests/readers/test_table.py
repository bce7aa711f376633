import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import table_rows, write_rows

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, OsseinError, SkeletonError
from ossein.readers import reader_for
from ossein.readers.base import Source
from ossein.readers.table import Table
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")


def read(folder: Path, rows, **given) -> Source:
    return Table().read(write_rows(folder / "mine.csv", rows), **given)


def text(folder: Path, lines: str, **given) -> Source:
    (folder / "mine.csv").write_text(lines, encoding="utf-8")
    return Table().read(folder / "mine.csv", **given)


def only(source: Source) -> Clip:
    (clip,) = source.clips
    return clip


def test_clips_labels_and_splits(tmp_path):
    source = read(tmp_path, table_rows())
    wave, bow = source.clips
    assert source.skeleton is COCO
    assert (source.classes, source.splits) == (("bow", "wave"), {"train": ("wave",), "val": ("bow",)})
    assert (wave.name, wave.label, bow.label, wave.x.shape) == ("wave", 1, 0, (1, 3, 17, 2))
    for t, v in np.ndindex(3, 17):
        assert wave.x[0, t, v].tolist() == [10.5 * v + t + 5, 7.25 * v]
    assert (wave.score == 1).all()


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(",;\t"))
def test_neither_the_order_of_rows_nor_the_separator_matters(tmp_path_factory, random, between):
    folder = tmp_path_factory.mktemp("table")
    rows = table_rows()
    wanted = {clip.name: clip for clip in read(folder, rows).clips}
    random.shuffle(rows)
    lines = [between.join(rows[0])] + [between.join(str(cell) for cell in row.values()) for row in rows]
    for clip in text(folder, "\n".join(lines)).clips:
        assert np.array_equal(clip.x, wanted[clip.name].x)
        assert (clip.label, clip.num_persons) == (wanted[clip.name].label, 1)


def test_bystanders_do_not_push_out_who_acts(tmp_path):
    def rows(person: int, frames: int) -> list[dict]:
        row = {"clip": "a", "person": person, "y": 0}
        return [row | {"frame": t, "joint": v, "x": person} for t in range(frames) for v in COCO.joints]

    clip = only(read(tmp_path, [*rows(1, 3), *rows(2, 3), *rows(7, 30)]))
    assert clip.x[..., 0].max((1, 2)).tolist() == [7, 1, 2]
    assert (clip.score > 0).any(2).sum(1).tolist() == [30, 3, 3]


def test_what_is_not_there_is_absent(tmp_path):
    rows = [row for row in table_rows() if not (row["joint"] == "nose" and row["frame"] == 6)]
    rows[0]["x"], rows[1]["y"], rows[2]["x"] = "", "nan", 0
    wave, _ = read(tmp_path, rows).clips
    assert wave.score[0, :, 0].tolist() == [0, 0, 1]
    assert wave.score[0, 0, :4].tolist() == [0, 0, 1, 1]  # a coordinate of 0 is a place, not an absence


def test_frames_left_out_are_absent_and_the_first_one_counts_as_0(tmp_path):
    source = text(tmp_path, "frame,joint,x,y\n107,0,1,2\n103,0,3,4\n", skeleton=COCO)
    clip = only(source)
    assert clip.score[0, :, 0].tolist() == [1, 0, 0, 0, 1]
    assert clip.x[0, 4, 0].tolist() == [1, 2]


def test_a_file_without_a_clip_column_is_one_clip(tmp_path):
    clip = only(text(tmp_path, "\ufeffFrame, Joint ,x,y\n0,3,1,2\n\n", skeleton=COCO))
    assert (clip.name, clip.label, clip.size, clip.rate) == ("mine", UNKNOWN, None, None)


def test_persons_third_coordinate_score_and_facts(tmp_path):
    head = "clip,frame,person,joint,x,y,z,score,label,subject,camera,setup,split,width,height,rate"
    rows = ["a,0,ann,0,1,2,3,0.5,4,7,8,9,train;fold1,640,480,29.97", "a,0,bob,0,4,5,6,,,,,,,,,"]
    source = text(tmp_path, "\n".join([head, *rows]), skeleton=COCO)
    clip = only(source)
    assert clip.x[:, 0, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert clip.score[:, 0, 0].tolist() == [0.5, 1]
    assert (clip.label, clip.subject, clip.camera, clip.setup) == (4, 7, 8, 9)
    assert (clip.size, clip.rate) == ((640, 480), 29.97)
    assert source.splits == {"train": ("a",), "fold1": ("a",)}
    assert source.classes == ()


def test_given_classes_set_the_order(tmp_path):
    source = read(tmp_path, table_rows(), classes=["wave", "kick", "bow"])
    assert [clip.label for clip in source.clips] == [0, 2]


def test_a_table_of_another_skeleton_by_its_joint_names(tmp_path):
    rows = table_rows("ntu-25")
    source = read(tmp_path, rows[::-1])
    assert source.skeleton is Skeleton.of("ntu-25")


def test_the_skeleton_of_a_meta_file(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps({"joint_names": ["tip", "root"], "edges": [[0, 1]]}))
    clip = only(text(tmp_path, "frame,joint,x,y\n0,Root,1,2\n"))
    assert clip.score[0, 0].tolist() == [0, 1]


def test_a_table_that_lacks_a_column_is_a_table_still(tmp_path):
    """So that what it lacks is told, alone and in a folder, and not that it looks like nothing."""
    file = tmp_path / "mine.csv"
    file.write_text("clip,frame,joint,x,score\na,0,nose,1,1\n")
    assert reader_for(file).name == "table"
    with pytest.raises(DataError, match=r"mine\.csv:1: no column 'y'"):
        reader_for(file).read(file)


def test_an_unknown_skeleton_must_be_named(tmp_path):
    with pytest.raises(SkeletonError, match=r"mine\.csv: 5 joints, and nothing says which.*--skeleton"):
        text(tmp_path, "frame,joint,x,y\n0,4,1,2\n")
    with pytest.raises(SkeletonError, match=r"mine\.csv: 2 joints \(tip, root\), and no built-in skeleton has.*--skel"):
        text(tmp_path, "frame,joint,x,y\n0,tip,1,2\n0,root,1,2\n")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("frame,joint,x\n", r"mine\.csv:1: no column 'y'"),
        ("frame,joint,x,y,lable\n", r"mine\.csv:1: unknown column 'lable'. Did you mean 'label'"),
        ("frame,joint,x,y,x\n", r"mine\.csv:1: column 'x' stands there twice"),
        ("frame,joint,x,y\n", "has no rows"),
        ("", "no column 'frame'"),
        ("clip,frame,joint,x,y\n,0,0,1,2\n", "without the name of a clip"),
        ("frame,joint,x,y\n0,0,1,2\n0,1,1\n", r"mine\.csv:3: 3 cells, expected 4"),
        ("frame,joint,x,y\n0,0,1,2\n\n0,1,1,2.x\n", r"mine\.csv:4: y '2\.x', expected a number"),
        ("frame,joint,x,y\n1.5,0,1,2\n", r"mine\.csv:2: frame '1\.5', expected a whole number"),
        ("frame,joint,x,y\n,0,1,2\n", r"mine\.csv:2: frame ''"),
        ("frame,joint,x,y\n99999999999999999999,0,1,2\n", r"mine\.csv:2: frame 9+ is far beyond"),
        ("frame,joint,x,y\n0,0,1,2\n9999999,0,1,2\n", "frames 0 to 9999999, too many"),
        ("frame,joint,x,y\n0,0,inf,2\n", "person 0, frame 0, joint 0 is not finite"),
        ("frame,joint,x,y,score\n0,0,1,2,5\n", "score 5.0"),
        ("frame,joint,x,y,score\n0,0,1,2,?\n", r"mine\.csv:2: score '\?'"),
        ("frame,joint,x,y\n0,17,1,2\n", r"joint 17, expected 0 to 16 \(coco-17\)"),
        ("frame,joint,x,y\n0,left_writs,1,2\n", "'left_writs' is no joint of coco-17. Did you mean 'left_wrist'"),
        ("frame,joint,x,y\n0,0,1,2\n1,0,1,2\n0,0,3,4\n", r"mine\.csv:4: .*in line 2 already"),
        ("frame,joint,x,y\n0,nose,1,2\n0,Nose,3,4\n", r"mine\.csv:3: .*in line 2 already"),
        ("frame,joint,x,y,label\n0,0,1,2,a\n0,1,1,2,b\n", r"mine\.csv:3: label 'b', but 'a' in an earlier row"),
        ("frame,joint,x,y,label\n0,0,1,2,wav\n", "no class is called 'wav'"),
        ("frame,joint,x,y,label\n0,0,1,2,2\n", "label 2, expected 0 to 1"),
        ("frame,joint,x,y,rate\n0,0,1,2,fast\n", "rate 'fast' is no number"),
        ("frame,joint,x,y,width\n0,0,1,2,640\n", "only one of 'width' and 'height'"),
        ('frame,joint,x,y\n0,0,1,"2\n', r"mine\.csv:2: is not CSV"),
        ("frame,joint,x,y\n0,0,1,\x002\n", r"mine\.csv:2: "),
    ],
)
def test_what_is_wrong_is_named_with_its_line(lines, words, tmp_path):
    with pytest.raises(OsseinError, match=words) as caught:
        list(text(tmp_path, lines, skeleton=COCO, classes=["bow", "wave"]).clips)
    assert str(tmp_path / "mine.csv") in str(caught.value)


def test_other_encodings_are_refused(tmp_path):
    (tmp_path / "mine.csv").write_bytes("frame,joint,x,y\n0,Ellbögen,1,2\n".encode("latin1"))
    with pytest.raises(OsseinError, match="not UTF-8"):
        Table().read(tmp_path / "mine.csv")


def test_a_hundred_thousand_rows_are_quick(tmp_path):
    lines = [f"{c},{t},{v},{v}.25,{t}.5" for c in range(100) for t in range(60) for v in range(17)]
    started = time.process_time()
    source = text(tmp_path, "\n".join(["clip,frame,joint,x,y", *lines]), skeleton=COCO)
    assert sum(clip.num_frames for clip in source.clips) == 6000
    assert time.process_time() - started < 5


def saved(folder: Path, **changed) -> Path:
    rng = np.random.default_rng(2)
    arrays = {
        "x": rng.normal(size=(3, 2, 5, 17, 3)),
        "score": rng.uniform(0.1, 1, (3, 2, 5, 17)),
        "label": np.array(["wave", "bow", "wave"]),
        "name": np.array(["a", "b", "c"]),
        "length": np.array([5, 1, 3]),
        "subject": np.array([1, 2, 3]),
        "split": np.array(["train", "train;fold1", "val"]),
        "size": np.full((3, 2), [640, 480]),
        "rate": np.array([30.0, 25, 30]),
        "joint_names": np.array(COCO.joints),
    } | changed
    np.savez(folder / "mine.npz", **{key: array for key, array in arrays.items() if array is not None})
    return folder / "mine.npz"


def test_arrays(tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 17, 3))
    x[0, 1, 2, 3] = np.nan
    x[2, 1] = np.nan
    source = Table().read(saved(tmp_path, x=x))
    a, b, c = source.clips
    assert source.skeleton is COCO
    assert (source.classes, source.splits) == (("bow", "wave"), {"train": ("a", "b"), "fold1": ("b",), "val": ("c",)})
    assert [(clip.name, clip.label, clip.num_frames) for clip in (a, b, c)] == [("a", 1, 5), ("b", 0, 1), ("c", 1, 3)]
    assert (b.subject, b.camera, b.size, b.rate) == (2, UNKNOWN, (640, 480), 25)
    assert (a.score[1, 2, 3], c.num_persons) == (0, 1)
    np.testing.assert_allclose(b.x, x[1, :, :1].astype(np.float32))


def test_arrays_of_one_person_and_nothing_else(tmp_path):
    np.savez(tmp_path / "poses.npz", x=np.zeros((2, 4, 17, 2)))
    source = Table().read(tmp_path / "poses.npz", skeleton=COCO)
    clips = list(source.clips)
    assert [clip.name for clip in clips] == ["poses_000000", "poses_000001"]
    assert all((clip.score == 1).all() and clip.label == UNKNOWN for clip in clips)
    np.savez(tmp_path / "one.npz", x=np.zeros((1, 4, 17, 2)))
    assert only(Table().read(tmp_path / "one.npz", skeleton=COCO)).name == "one"


def test_the_skeleton_and_classes_inside_an_archive(tmp_path):
    x, edges = np.zeros((1, 2, 3, 2)), np.array([[0, 1], [1, 2]])
    np.savez(tmp_path / "a.npz", x=x, joint_names=["r", "s", "t"], edges=edges, class_names=["p", "q"], label=[1])
    source = Table().read(tmp_path / "a.npz")
    assert source.skeleton is not None
    assert (source.skeleton.name, source.skeleton.bones) == ("a", ((0, 1), (1, 2)))
    assert source.classes == ("p", "q")
    assert only(source).label == 1


TURNED = COCO.permuted(np.random.default_rng(4).permutation(17).tolist())


def in_order_of(skeleton: Skeleton, folder: Path, **more) -> Path:
    """The clips that `saved` writes for COCO-17 with their joints in another order; names they have only if given."""
    with np.load(saved(folder)) as arrays:
        order = [COCO.joints.index(joint) for joint in skeleton.joints]
        turned = {"x": arrays["x"][:, :, :, order], "score": arrays["score"][..., order], "joint_names": None}
    return saved(folder, **turned | more)


@pytest.mark.parametrize("given", ["nothing", "a skeleton", "a meta.json"])
def test_named_joints_of_an_archive_go_by_name(given, tmp_path):
    wanted = list(Table().read(saved(tmp_path)).clips)
    path = in_order_of(TURNED, tmp_path, joint_names=np.array([joint.title() for joint in TURNED.joints]))
    if given == "a meta.json":
        (tmp_path / "meta.json").write_text(json.dumps({"joint_names": COCO.joints}))
    source = Table().read(path, skeleton=COCO if given == "a skeleton" else None)
    assert source.skeleton is COCO
    for clip, want in zip(source.clips, wanted, strict=True):
        assert np.array_equal(clip.x, want.x)
        assert np.array_equal(clip.score, want.score)


def test_named_joints_with_their_own_edges_go_by_name_into_a_given_skeleton(tmp_path):
    wanted = list(Table().read(saved(tmp_path)).clips)
    more = {"joint_names": np.array(TURNED.joints), "edges": np.array(TURNED.bones)}
    path = in_order_of(TURNED, tmp_path, **more)
    own, given = Table().read(path), Table().read(path, skeleton=COCO)
    assert own.skeleton is not None
    assert own.skeleton.joints == TURNED.joints
    assert not np.array_equal(next(own.clips).x, wanted[0].x)
    assert np.array_equal(next(given.clips).x, wanted[0].x)


def test_joints_that_an_archive_does_not_have_are_absent(tmp_path):
    hands = np.array(["right_wrist", "left_wrist"])
    x = np.arange(12.0).reshape(1, 3, 2, 2)
    np.savez(tmp_path / "hands.npz", x=x, joint_names=hands)
    clip = only(Table().read(tmp_path / "hands.npz", skeleton=COCO))
    assert np.flatnonzero(clip.score[0, 0]).tolist() == [9, 10]
    assert np.array_equal(clip.x[0][:, [10, 9]], x[0])


def test_joints_that_no_skeleton_has_are_told(tmp_path):
    names = np.array([*COCO.joints[:-2], "paw", "tail"])
    with pytest.raises(SkeletonError, match=r"17 joints \(nose, .*, paw, tail\), and no built-in skeleton has"):
        Table().read(saved(tmp_path, joint_names=names))
    with pytest.raises(SkeletonError, match=r"'paw', 'tail' are no joints of coco-17"):
        Table().read(saved(tmp_path, joint_names=names), skeleton=COCO)


@pytest.mark.parametrize("nothing", ["", "nan", "None", "-1"])
def test_a_text_that_says_nothing_is_no_label(nothing, tmp_path):
    source = Table().read(saved(tmp_path, label=np.array(["raise", nothing, "step"])))
    assert [clip.label for clip in source.clips] == [0, UNKNOWN, 1]
    assert source.classes == ("raise", "step")
    table = "clip,frame,joint,x,y,label\na,0,0,1,2,raise\nb,0,0,1,2," + nothing
    source = text(tmp_path, table, skeleton=COCO)
    assert [clip.label for clip in source.clips] == [0, UNKNOWN]
    assert source.classes == ("raise",)


def test_subjects_by_word(tmp_path):
    rows = ["clip,frame,joint,x,y,subject,camera", "a,0,0,1,2,P07,2.0", "b,0,0,1,2,P02,", "c,0,0,1,2,nan,1"]
    clips = list(text(tmp_path, "\n".join(rows), skeleton=COCO).clips)
    assert [clip.subject for clip in clips] == [1, 0, UNKNOWN]
    assert [clip.camera for clip in clips] == [2, UNKNOWN, 1]
    more = {"subject": np.array(["P07", "P02", ""]), "camera": np.array([2.0, np.nan, 1])}
    clips = list(Table().read(saved(tmp_path, **more)).clips)
    assert [clip.subject for clip in clips] == [1, 0, UNKNOWN]
    assert [clip.camera for clip in clips] == [2, UNKNOWN, 1]
    with pytest.raises(DataError, match=r"mine\.npz: clip 'b': setup 1\.5, expected a text, or a whole number"):
        Table().read(saved(tmp_path, setup=np.array([1, 1.5, 2])))


def test_a_label_that_is_a_number_is_no_name(tmp_path):
    path = saved(tmp_path, label=np.array([0, -1, 2]))
    assert [clip.label for clip in Table().read(path, classes=["2", "1", "0"]).clips] == [0, UNKNOWN, 2]


def ragged() -> np.ndarray:
    """Three clips of different lengths, as numpy stacks them."""
    clips = np.empty(3, object)
    clips[:] = [np.zeros((2, frames, 17, 3)) for frames in (3, 4, 5)]
    return clips


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": None}, r"x \[0\], expected \[N M T V C\]"),
        ({"x": np.zeros((3, 5, 17))}, r"x \[3, 5, 17\]"),
        ({"x": np.zeros((3, 2, 0, 17, 3))}, r"x \[3, 2, 0, 17, 3\]"),
        ({"x": np.zeros((3, 2, 5, 17, 3), complex)}, "'x' has number type complex128. Save numbers"),
        (
            {"x": np.zeros((3, 2, 5, 17, 3), object)},
            "'x' is an array of Python objects, .* save numbers such as float32",
        ),
        ({"x": ragged()}, "'x' is an array of Python objects, .*Pad the clips to one length.* 'length'"),
        ({"label": np.array(["wave", None, "bow"])}, "'label' is an array of Python objects.* Save texts, with ''"),
        ({"rate": np.array([30, None, 30])}, "'rate' is an array of Python objects.* Save plain numbers"),
        ({"notes": np.array([{"a": 1}])}, "'notes' is an array of Python objects"),
        ({"x": np.full((3, 2, 5, 17, 3), np.inf)}, "clip 'a'.*not finite"),
        ({"x": np.zeros((3, 2, 5, 18, 3)), "score": None}, "18 joints, expected 17"),
        ({"score": np.zeros((3, 2, 5))}, r"score \[3, 2, 5\], expected \[3, 2, 5, 17\]"),
        ({"lable": np.zeros(3)}, "unknown array 'lable'. Did you mean 'label'"),
        ({"label": np.zeros(2, int)}, r"label \[2\], expected \[3\]"),
        ({"label": np.zeros(3)}, "'label' has number type float64"),
        ({"length": np.array([0, 1, 2])}, "clip 'a': length 0, expected 1 to 5"),
        ({"length": np.array([5, 6, 2])}, "clip 'b': length 6"),
        ({"size": np.zeros(3)}, r"size \[3\], expected \[3, 2\]"),
        ({"name": np.array(["a", "b", "a"])}, "clips 0 and 2 are both called 'a'"),
        ({"joint_names": np.array(["a", "a"])}, "'a' twice"),
        ({"joint_names": np.array(["nose", "neck"])}, "17 joints, expected 2 as joint_names has it"),
        (
            {"joint_names": np.array([*COCO.joints[:-1], "Nose"]), "edges": None},
            "17 joints .*Nose.*no built-in skeleton has",
        ),
        ({"joint_names": None}, "17 joints, and nothing says which"),
        ({"class_names": np.array(["bow", "bow"])}, "'bow' twice"),
    ],
)
def test_bad_arrays_are_named(changed, words, tmp_path):
    path = saved(tmp_path, **changed)
    with pytest.raises(OsseinError, match=words) as caught:
        list(Table().read(path).clips)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_joint_of_an_archive_named_twice(tmp_path):
    path = saved(tmp_path, joint_names=np.array([*COCO.joints[:-1], "Nose"]))
    with pytest.raises(SkeletonError, match=r"mine\.npz: two joint_names are 'nose' of coco-17. Rename one"):
        Table().read(path, skeleton=COCO)


def test_a_single_array_is_no_archive(tmp_path):
    with (tmp_path / "mine.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(OsseinError, match="no whole archive"):
        Table().read(tmp_path / "mine.npz")


def test_archives_cut_short(tmp_path):
    path = saved(tmp_path)
    data = path.read_bytes()
    for share in (0.01, 0.5, 0.99):
        path.write_bytes(data[: int(share * len(data))])
        assert not Table().sniff(path)
        with pytest.raises(OsseinError, match=r"mine\.npz"):
            Table().read(path)
