import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.errors import DataError, OsseinError
from ossein.readers import ntu
from ossein.readers.base import ntu_name
from ossein.readers.ntu import NTU
from ossein.readers.ntu_bodies import Body, people
from ossein.skeleton import Skeleton

NAME = "S001C002P003R002A013"
ROOM = np.random.default_rng(3)
POSE = ROOM.normal(size=(25, 3)) * [0.1, 0.5, 0.1] + [0, 0, 3]


def joint(x, state=2):
    return f"{x[0]:.6f} {x[1]:.6f} {x[2]:.6f} 250.1 200.2 960.5 540.5 0.1 0.2 0.3 0.4 {state}"


def skeleton_text(frames, state=2):
    """The text of a file; `frames` holds for each frame a list of (id, x [25 3])."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for name, x in bodies:
            lines += [f"{name} 0 1 1 0 1 0 0.02 -0.1 2", "25", *(joint(one, state) for one in x)]
    return "\r\n".join(lines) + "\r\n"


def write(folder, frames, name=NAME, **more):
    file = folder / f"{name}.skeleton"
    file.write_text(skeleton_text(frames, **more))
    return file


def read(path):
    return list(NTU().read(path).clips)


def walk(start, length, step=0.02, pose=POSE):
    """The frames of one body that moves along x."""
    return {start + t: np.add(pose, [step * t, 0, 0]) for t in range(length)}


def frames_of(total, **bodies):
    return [[(name, frames[t]) for name, frames in bodies.items() if t in frames] for t in range(total)]


def test_values_names_and_rate(tmp_path):
    path = write(tmp_path, frames_of(3, b1=walk(0, 3)))
    source = NTU().read(path)
    (clip,) = source.clips
    np.testing.assert_allclose(
        clip.x[0], np.round([POSE, np.add(POSE, [0.02, 0, 0]), np.add(POSE, [0.04, 0, 0])], 6), atol=1e-6
    )
    assert (clip.score == 1).all()
    assert (clip.name, clip.label, clip.subject, clip.camera, clip.setup) == (NAME, 12, 3, 2, 1)
    assert clip.rate == 30
    assert source.skeleton == Skeleton.of("ntu-25")
    assert source.classes[12] == "tear up paper"
    assert len(source.classes) == 60


@pytest.mark.parametrize(("state", "score"), [(0, 0.1), (1, 0.5), (2, 1.0)])
def test_tracking_state_is_the_score(tmp_path, state, score):
    (clip,) = read(write(tmp_path, frames_of(1, b1=walk(0, 1)), state=state))
    np.testing.assert_allclose(clip.score, score)


def test_nan_and_the_camera_itself_are_absent(tmp_path):
    x = POSE.copy()
    x[3], x[4, 1], x[5] = np.nan, np.nan, 0
    (clip,) = read(write(tmp_path, [[("b", x)]]))
    absent = np.isin(np.arange(25), [3, 4, 5])
    assert ((clip.score[0, 0] == 0) == absent).all()
    assert (clip.x[0, 0, absent] == 0).all()


def test_empty_ends_go_and_empty_frames_between_stay(tmp_path):
    body = walk(2, 20)
    del body[7], body[8]
    (clip,) = read(write(tmp_path, frames_of(25, b=body)))
    assert clip.num_frames == 20
    assert np.flatnonzero(~clip.score[0].any(1)).tolist() == [5, 6]
    np.testing.assert_allclose(clip.x[0, 7], body[9], atol=1e-6)


def test_a_body_that_leaves_and_returns_is_not_shifted(tmp_path):
    main, guest = walk(0, 40), walk(0, 15, 0.01, np.add(POSE, [1, 0, 0])) | walk(25, 15, 0.01, np.add(POSE, [1, 0, 0]))
    (clip,) = read(write(tmp_path, frames_of(40, main=main, guest=guest)))
    assert clip.num_persons == 2
    assert np.flatnonzero(clip.score[1].any(1)).tolist() == sorted(guest)
    np.testing.assert_allclose(clip.x[1, 30], guest[30], atol=1e-6)


def test_a_person_under_two_ids_is_one(tmp_path):
    (clip,) = read(write(tmp_path, frames_of(40, a=walk(0, 18), b=walk(20, 20, 0.03))))
    assert clip.num_persons == 1
    assert np.flatnonzero(~clip.score[0].any(1)).tolist() == [18, 19]


def test_who_moves_more_is_first(tmp_path):
    calm, lively = walk(0, 20, 0), walk(0, 20, 0.1, np.add(POSE, [1, 0, 0]))
    (clip,) = read(write(tmp_path, frames_of(20, calm=calm, lively=lively)))
    np.testing.assert_allclose(clip.x[0, 3], lively[3], atol=1e-6)
    np.testing.assert_allclose(clip.x[1, 3], calm[3], atol=1e-6)


def body(frames, wide=False, step=0.02):
    frames = np.array(frames)
    x = np.stack([POSE[:, [1, 0, 2]] if wide else POSE] * len(frames)) + step * frames[:, None, None]
    return Body(frames, x.astype(np.float32), np.ones((len(frames), 25), np.float32))


def test_short_bodies_are_ghosts_only_beside_others():
    short, long = body(range(11)), body(range(12))
    assert people([short, long]) == [long]
    assert len(people([long, body(range(30))])) == 2
    assert people([short]) == [short]
    assert people([body(range(5)), last := body(range(6, 15))]) == [last]


def test_wide_bodies_are_ghosts():
    chair, person = body(range(30), wide=True, step=1), body(range(30))
    assert people([chair, person]) == [person]
    assert people([chair, longer := body(range(40), wide=True)]) == [longer]


def test_a_body_wide_in_a_smaller_share_stays():
    mixed = body(range(20))
    x = mixed.x.copy()
    x[:13] = x[:13][:, :, [1, 0, 2]]  # 13 of 20 = 0.65 < 0.69754
    mixed = Body(mixed.frames, x, mixed.score)
    assert len(people([mixed, body(range(20))])) == 2
    x[13] = x[13][:, [1, 0, 2]]  # 0.7
    assert len(people([Body(mixed.frames, x, mixed.score), body(range(20))])) == 1


def test_a_third_body_fills_the_gap_of_the_second_or_goes():
    first, second = body(range(60), step=0.3), body(range(20), step=0.2)
    third, fourth = body(range(25, 50), step=0.02), body(range(30, 45), step=0.001)
    persons = people([fourth, third, second, first])
    assert len(persons) == 2
    assert persons[0] is first
    assert persons[1].frames.tolist() == [*range(20), *range(25, 50)]
    np.testing.assert_array_equal(persons[1].x[20:], third.x)


def test_motion_is_the_variance_of_present_joints():
    one = body(range(20))
    score = one.score.copy()
    score[:, 7] = 0
    shown = np.delete(one.x, 7, axis=1).reshape(-1, 3).astype(float)
    assert Body(one.frames, one.x, score).motion() == pytest.approx(shown.var(0).sum())


def test_nobody_is_one_absent_person(tmp_path):
    (clip,) = read(write(tmp_path, [[], [], []]))
    assert clip.x.shape == (1, 3, 25, 3)
    assert not clip.score.any()


def test_splits_of_ntu_60(tmp_path):
    names = [f"S001C{c:03d}P{p:03d}R001A001" for c in (1, 2, 3) for p in (1, 3)]
    for name in names:
        write(tmp_path, frames_of(1, b=walk(0, 1)), name)
    splits = NTU().read(tmp_path).splits
    assert splits["xsub_train"] == tuple(name for name in names if "P001" in name)
    assert splits["xsub_val"] == tuple(name for name in names if "P003" in name)
    assert splits["xview_val"] == tuple(name for name in names if "C001" in name)
    assert splits["xview_train"] == tuple(name for name in names if "C001" not in name)
    assert len(splits) == 4


def test_splits_of_ntu_120(tmp_path):
    names = ["S001C001P001R001A001", "S018C001P045R001A061", "S020C001P106R001A120", "S020C001P003R001A120"]
    for name in names:
        write(tmp_path, frames_of(1, b=walk(0, 1)), name)
    source = NTU().read(tmp_path)
    assert source.splits["xsub_train"] == tuple(names[:2])
    assert source.splits["xset_train"] == (names[1], names[3], names[2])
    assert source.splits["xset_val"] == (names[0],)
    assert len(source.classes) == 120


def test_lists_of_the_field():
    official = sorted(ntu._official())
    assert len(official) == 535
    assert sum(int(name[1:4]) <= 17 for name in official) == 302
    assert all(ntu_name(name) for name in official)
    assert len(ntu._SUBJECTS_60) == 20
    assert len(ntu._SUBJECTS_120) == 53


def test_missing_files_are_left_out_of_folders_only(tmp_path):
    (tmp_path / "deep").mkdir()
    listed = write(tmp_path / "deep", frames_of(1, b=walk(0, 1)), "S001C002P005R002A008")
    kept = write(tmp_path, frames_of(1, b=walk(0, 1)))
    own = write(tmp_path, frames_of(1, b=walk(0, 1)), "waving")
    (tmp_path / "missing.txt").write_text("a comment with blanks\n\nwaving.skeleton\n")
    source = NTU().read(tmp_path)
    assert [clip.name for clip in source.clips] == [kept.stem]
    assert source.num_clips == 1
    assert source.facts["left_out"].startswith("2 ")
    assert [clip.name for clip in read(listed)] == [listed.stem]
    assert read(own)[0].label == -1


def test_meta_and_arguments_win(tmp_path):
    write(tmp_path, frames_of(1, b=walk(0, 1)))
    (tmp_path / "meta.json").write_text(json.dumps({"class_names": [f"c{i}" for i in range(13)]}))
    assert NTU().read(tmp_path).classes[12] == "c12"
    assert NTU().read(tmp_path, classes=["one", "two"]).classes == ("one", "two")
    with pytest.raises(DataError, match="label 12"):
        list(NTU().read(tmp_path, classes=["one", "two"]).clips)


def test_sniff(tmp_path):
    assert not NTU().sniff(tmp_path)
    assert not NTU().sniff(tmp_path / "nothing.skeleton")
    path = write(tmp_path, frames_of(1, b=walk(0, 1)))
    assert NTU().sniff(path)
    assert NTU().sniff(tmp_path)


TEXT = skeleton_text(frames_of(3, a=walk(0, 3), b=walk(1, 1)))


@given(st.integers(0, len(TEXT.rstrip()) - 1))
@settings(max_examples=60, deadline=None)
def test_cut_anywhere_is_an_error_that_names_the_file(tmp_path_factory, at):
    path = tmp_path_factory.mktemp("cut") / f"{NAME}.skeleton"
    path.write_text(TEXT[:at])
    with pytest.raises(OsseinError, match=NAME):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("\n25\n", "\n24\n", r":4: 24 joints in frame 0, expected 25 \(NTU-25\)"),
        (" 250.1 ", " ", r":5: 11 fields for joint 0 in frame 0 of 3, expected 12"),
        (" 0.4 2\n", " 0.4 3\n", r":5: tracking state '3' of joint 0"),
        ("3\n1\n", "3\none\n", r":2: 'one' for the number of bodies in frame 0 of 3"),
        ("3\n1\n", "2\n1\n", r"goes on after the last frame"),
        ("3\n1\n", "0\n1\n", r":1: '0' for the number of frames"),
        ("3\n1\n", "3\n-1\n", r":2: '-1' for the number of bodies"),
        ("3\n1\n", "99999999999\n1\n", r":1: '99999999999'"),
        (f"{POSE[0, 0]:.6f} ", "abc ", r":5: joint 0 in frame 0 of 3 has a coordinate that is not a number"),
    ],
)
def test_errors_name_the_line(tmp_path, old, new, says):
    path = tmp_path / f"{NAME}.skeleton"
    text = TEXT.replace("\r", "")
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "missing.txt" in str(caught.value)


def test_two_files_of_one_name(tmp_path):
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", frames_of(1, b=walk(0, 1)))
    write(tmp_path, frames_of(1, b=walk(0, 1)))
    with pytest.raises(DataError, match="same name"):
        NTU().read(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match=r"no \.skeleton file"):
        NTU().read(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        NTU().read(tmp_path / "gone")
