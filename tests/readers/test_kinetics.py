import json
from pathlib import Path

import numpy as np
import pytest
from samples import kinetics_clip, write_kinetics

from ossein.clip import UNKNOWN, Clip
from ossein.errors import DataError, SkeletonError
from ossein.readers.kinetics import Kinetics
from ossein.skeleton import Skeleton


def stored(folder: Path, clip) -> Path:
    (folder / "clip.json").write_text(json.dumps(clip))
    return folder / "clip.json"


def read(folder: Path, clip) -> Clip:
    return next(Kinetics().read(stored(folder, clip)).clips)


def test_both_sides_of_a_folder_with_class_names(tmp_path):
    source = Kinetics().read(write_kinetics(tmp_path))
    assert source.splits == {"train": ("a", "b"), "val": ("c",)}
    assert source.classes == ("abseiling", "yoga")
    assert [(clip.name, clip.label) for clip in source.clips] == [("a", 0), ("b", 1), ("c", 0)]


def test_one_side_alone(tmp_path):
    source = Kinetics().read(write_kinetics(tmp_path) / "kinetics_val")
    assert source.splits == {"val": ("c",)}
    assert source.classes == ("abseiling",)
    assert source.num_clips == 1


def test_one_file(tmp_path):
    data = kinetics_clip()
    clip = read(tmp_path, data)
    assert (clip.name, clip.label, clip.size, clip.x.shape) == ("clip", 0, (1, 1), (2, 3, 18, 2))
    for t, frame in enumerate(data["data"]):
        for m, person in enumerate(frame["skeleton"]):
            np.testing.assert_allclose(clip.x[m, t, :, 0], person["pose"][0::2], rtol=1e-6)
            np.testing.assert_allclose(clip.x[m, t, :, 1], person["pose"][1::2], rtol=1e-6)
            np.testing.assert_allclose(clip.score[m, t], person["score"], rtol=1e-6)


def test_score_0_is_absent(tmp_path):
    data = kinetics_clip()
    data["data"][1]["skeleton"][0]["score"][4] = 0
    clip = read(tmp_path, data)
    assert clip.score[0, 1, 4] == 0
    assert (clip.x[0, 1, 4] == 0).all()


@pytest.mark.parametrize(
    ("numbers", "wanted"), [([0, 1, 4], [0, 1, 4]), ([1, 2, 5], [0, 1, 4]), ([5, 1, 3], [4, 0, 2])]
)
def test_frames_count_from_0_or_1_and_gaps_are_absent(numbers, wanted, tmp_path):
    data = kinetics_clip()
    for frame, number in zip(data["data"], numbers):
        frame["frame_index"] = number
    clip = read(tmp_path, data)
    assert clip.num_frames == 5
    assert sorted(wanted) == np.flatnonzero(clip.score[0].any(-1)).tolist()
    assert clip.x[0, wanted[0], 0, 0] == np.float32(data["data"][0]["skeleton"][0]["pose"][0])


def test_a_frame_number_0_makes_it_count_from_0_even_if_nobody_is_in_it(tmp_path):
    data = kinetics_clip(first=1)
    data["data"].insert(0, {"frame_index": 0, "skeleton": []})
    assert read(tmp_path, data).score[0].any(-1).tolist() == [False, True, True, True]


def test_five_persons_are_kept(tmp_path):
    data = kinetics_clip(persons=7)
    clip = read(tmp_path, data)
    assert clip.num_persons == 5
    kept = [np.float32(person["pose"][0]) for person in data["data"][0]["skeleton"][:5]]
    assert sorted(clip.x[:, 0, 0, 0]) == sorted(kept)


@pytest.mark.parametrize("frames", [0, 3])
def test_a_clip_with_nobody_is_kept_absent(frames, tmp_path):
    data = kinetics_clip(frames=frames, persons=0)
    clip = read(tmp_path, data)
    assert clip.x.shape == (1, max(frames, 1), 18, 2)
    assert clip.score.max() == 0


def test_a_label_is_not_needed(tmp_path):
    assert read(tmp_path, {"data": kinetics_clip()["data"]}).label == UNKNOWN


def changed(**frame) -> dict:
    data = kinetics_clip()
    data["data"][1] = {k: v for k, v in (data["data"][1] | frame).items() if v is not None}
    return data


def person(**fields) -> dict:
    whole = kinetics_clip()["data"][1]["skeleton"][0] | fields
    return changed(skeleton=[{key: value for key, value in whole.items() if value is not None}])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"label_index": 1}, "has no 'data'"),
        ({"data": 5}, "has no 'data'"),
        ([], "has no 'data'"),
        (kinetics_clip() | {"label_index": "1"}, "label_index '1'"),
        (kinetics_clip() | {"label_index": -5}, "label -5"),
        ({"data": [7]}, "entry 0 of 'data' has no 'frame_index'"),
        (changed(frame_index=None), "entry 1 of 'data' has no 'frame_index'"),
        (changed(frame_index=1), "entry 1 of 'data' has frame_index 1, expected a number from 0 that no other has"),
        (changed(frame_index=-1), "frame_index -1"),
        (changed(frame_index=10**9), "frame_index 1000000000"),
        (changed(frame_index=2.0), "frame_index 2.0"),
        (changed(skeleton=None), "frame 2 has no 'skeleton'"),
        (changed(skeleton={}), "frame 2: 'skeleton' is a dict"),
        (changed(skeleton=[5]), "frame 2 has no 'pose'"),
        (person(score=None), "frame 2 has no 'score'"),
        (person(pose=["a"] * 36), "frame 2: 'pose' or 'score' is not a list of numbers"),
        (person(pose=[[1], [1, 2]]), "frame 2: 'pose' or 'score' is not a list of numbers"),
        (person(pose=[float("nan")] * 36), "frame 1, joint 0 is not finite"),
        (person(score=[3.0] * 18), "score 3.0"),
    ],
)
def test_what_is_wrong_is_named(data, words, tmp_path):
    path = stored(tmp_path, data)
    with pytest.raises(DataError, match=words) as caught:
        list(Kinetics().read(path).clips)
    assert str(caught.value).startswith(f"{path}: ")


def test_another_number_of_joints_is_named(tmp_path):
    data = person(pose=[0.5] * 34, score=[0.5] * 17)
    with pytest.raises(SkeletonError, match=r"frame 2: pose \[34\] and score \[17\], expected \[36\] and \[18\]"):
        read(tmp_path, data)
    data["data"] = data["data"][1:2]
    source = Kinetics().read(stored(tmp_path, data), skeleton=Skeleton.of("coco-17"))
    assert next(source.clips).x.shape == (1, 2, 17, 2)


def test_two_clips_of_one_name(tmp_path):
    path = write_kinetics(tmp_path)
    (path / "kinetics_train" / "c.json").write_text(json.dumps(kinetics_clip()))
    with pytest.raises(DataError, match=r"kinetics_val/c\.json: has the same name as .*kinetics_train/c\.json"):
        Kinetics().read(path)


def test_class_names_with_holes_are_not_taken(tmp_path):
    path = write_kinetics(tmp_path)
    entry = {"has_skeleton": True, "label": "zumba", "label_index": 7}
    (path / "kinetics_train_label.json").write_text(json.dumps({"a": entry}))
    assert Kinetics().read(path).classes == ()


def test_an_empty_folder(tmp_path):
    assert not Kinetics().sniff(tmp_path)
    with pytest.raises(DataError, match=r"holds no \.json file"):
        Kinetics().read(tmp_path)
