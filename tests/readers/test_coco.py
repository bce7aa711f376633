import json

import numpy as np
import pytest

from ossein.errors import DataError, OsseinError, SkeletonError
from ossein.readers.coco import COCO
from ossein.skeleton import Skeleton

POSE = np.random.default_rng(0).uniform(10, 200, (17, 3)) * [1, 1, 0.004] + [0, 0, 0.1]


def found(image, pose=POSE, **more):
    return {"image_id": image, "category_id": 1, "keypoints": pose.ravel().tolist(), "score": 2.9, **more}


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def read(path, **given):
    return list(COCO().read(path, **given).clips)


def test_values_and_gaps(tmp_path):
    path = write(tmp_path / "v.json", [found(3, np.add(POSE, [2, 0, 0])), found(1)])
    source = COCO().read(path)
    (clip,) = source.clips
    assert clip.x.shape == (1, 3, 17, 2)
    assert clip.name == "v"
    assert source.skeleton == Skeleton.of("coco-17")
    np.testing.assert_allclose(clip.x[0, 0], POSE[:, :2], rtol=1e-6)
    np.testing.assert_allclose(clip.x[0, 2], POSE[:, :2] + [2, 0], rtol=1e-6)
    np.testing.assert_allclose(clip.score[0, 0], POSE[:, 2], rtol=1e-6)
    assert not clip.score[0, 1].any()


def test_image_names_give_the_frame(tmp_path):
    names = ["cam2/frame_000012.jpg", "cam2/frame_000010.jpg", "11.png", "000013"]
    (clip,) = read(write(tmp_path / "v.json", [found(name, np.add(POSE, [i, 0, 0])) for i, name in enumerate(names)]))
    np.testing.assert_allclose(clip.x[0, :, 0, 0] - POSE[0, 0], [1, 2, 0, 3], atol=1e-4)


def test_scores_of_alphapose_are_cut(tmp_path):
    (clip,) = read(write(tmp_path / "v.json", [found(0, POSE * [1, 1, 6])]))
    assert clip.score.max() == 1


@pytest.mark.parametrize("key", ["idx", "track_id"])
def test_ids_say_who_is_who(tmp_path, key):
    data = [
        found(t, np.add(POSE, [x, 0, 0]), **{key: who})
        for t in (0, 1)
        for x, who in ((t * 500, [1]), (500 - t * 500, 2))
    ]
    (clip,) = read(write(tmp_path / "v.json", data))
    assert sorted((clip.x[:, :, 0, 0] - POSE[0, 0]).round().tolist()) == [[0, 500], [500, 0]]


def test_an_id_twice_in_a_frame_is_none(tmp_path):
    data = [found(t, np.add(POSE, [x, 0, 0]), idx=0) for t in (0, 1) for x in (t * 500, 500 - t * 500)]
    (clip,) = read(write(tmp_path / "v.json", data))
    assert sorted((clip.x[:, :, 0, 0] - POSE[0, 0]).round().tolist()) == [[0, 0], [500, 500]]


def test_26_joints_are_halpe(tmp_path):
    path = write(tmp_path / "v.json", [found(0, np.ones((26, 3)))])
    assert COCO().read(path).skeleton == Skeleton.of("halpe-26")


def annotations(pose=POSE, **category):
    images = [{"id": 900 + t, "file_name": f"{t:06d}.jpg", "width": 640, "height": 480} for t in (5, 6, 7)]
    flags = np.arange(17) % 3
    values = np.c_[pose[:, :2], flags].ravel().tolist()
    notes = [{"id": 1, "image_id": 906, "category_id": 1, "keypoints": values, "track_id": 4}, {"image_id": 905}]
    return {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "person", **category}]}


def test_annotations(tmp_path):
    (clip,) = read(write(tmp_path / "v.json", annotations()))
    assert clip.size == (640, 480)
    assert clip.num_frames == 3
    assert clip.score[0].any(1).tolist() == [False, True, False]
    np.testing.assert_allclose(clip.score[0, 1], (np.arange(17) % 3) / 2)
    seen = np.arange(17) % 3 > 0
    np.testing.assert_allclose(clip.x[0, 1, seen], POSE[seen, :2], rtol=1e-6)


def test_categories_name_the_skeleton(tmp_path):
    coco = Skeleton.of("coco-17")
    path = write(tmp_path / "v.json", annotations(keypoints=list(coco.joints), skeleton=[[1, 2]]))
    assert COCO().read(path).skeleton == coco
    names = [f"j{v}" for v in range(17)]
    path = write(tmp_path / "w.json", annotations(keypoints=names, skeleton=[[v, v + 1] for v in range(1, 17)]))
    own = COCO().read(path).skeleton
    assert own is not None
    assert own.joints == tuple(names)
    assert own.bones[0] == (0, 1)
    assert COCO().read(path, skeleton=coco).skeleton == coco


def test_folders_give_labels(tmp_path):
    for name in ("wave/b", "clap/a"):
        write(tmp_path / f"{name}.json", [found(0)])
    write(tmp_path / "meta.json", {"class_names": ["wave", "sit", "clap"]})
    source = COCO().read(tmp_path)
    assert source.classes == ("wave", "sit", "clap")
    assert [(clip.name, clip.label) for clip in source.clips] == [("clap/a", 2), ("wave/b", 0)]


def without(key, **more):
    return {name: value for name, value in {**found(0), **more}.items() if name != key}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "neither a list"),
        ([], "empty"),
        ([7], "detection 0: is a int"),
        ([found(0), without("keypoints")], "detection 1: no key 'keypoints'"),
        ([without("image_id")], "detection 0: no key 'image_id'"),
        ([found("photo.jpg")], "detection 0: no frame number in 'photo.jpg'"),
        ([found(None)], "detection 0: no frame number"),
        ([found(-1)], "detection 0: no frame number"),
        ([found(0, np.full((17, 3), np.nan))], "detection 0: nan at place 0"),
        ([found(0), found(1, POSE[:15])], "detection 1: 15 joints, expected 17"),
        ([found(0), found(0, np.zeros((0, 3)))], "detection 1: key 'keypoints' is empty"),
        ([found(0), found(10**9)], "numbered 0 to 1000000000"),
        ({"annotations": []}, "no image is listed"),
        ({"images": [{"file_name": "1.jpg"}], "annotations": []}, "image 0: no key 'id'"),
        ({"images": [{"id": 1}], "annotations": [found(2)]}, "annotation 0: image_id 2 is not among"),
        ({"images": [{"id": 1}], "annotations": [found([])]}, "annotation 0: image_id .. is not among"),
        ({"images": [{"id": 1}], "annotations": [found(1)]}, "annotation 0: a visibility is not 0, 1 or 2"),
        (annotations(keypoints=["a"] * 17, skeleton=[[1, 2]]), "'categories'"),
        (annotations(keypoints=list("abcdefghijklmnopq"), skeleton=[["a"]]), "'categories'"),
    ],
)
def test_errors_name_the_place(tmp_path, data, says):
    path = write(tmp_path / "v.json", data)
    with pytest.raises(OsseinError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_unknown_number_of_joints(tmp_path):
    with pytest.raises(SkeletonError, match="15 joints"):
        COCO().read(write(tmp_path / "v.json", [found(0, POSE[:15])]))


def test_nobody(tmp_path):
    path = write(tmp_path / "v.json", [found(0, np.zeros((17, 3)))])
    with pytest.raises(DataError, match="nobody is detected"):
        COCO().read(path)
    assert not read(path, skeleton=Skeleton.of("coco-17"))[0].score.any()


@pytest.mark.parametrize("data", [[found(0), found(1)], annotations()])
def test_cut_files_name_the_file(tmp_path, data):
    path = write(tmp_path / "v.json", data)
    text = path.read_text()
    for at in range(0, len(text), 61):
        path.write_text(text[:at])
        with pytest.raises(DataError, match=r"v\.json"):
            read(path)


def test_sniff(tmp_path):
    assert not COCO().sniff(tmp_path)
    assert not COCO().sniff(write(tmp_path / "k.json", {"data": [], "label": "x"}))
    (tmp_path / "k.json").unlink()
    assert COCO().sniff(write(tmp_path / "wave" / "a.json", [found(0)]))
    assert COCO().sniff(tmp_path)
    assert COCO().sniff(write(tmp_path / "b.json", annotations()))
