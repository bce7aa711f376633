import zipfile
from pathlib import Path

import numpy as np
import pytest
from samples import ctrgcn_arrays, write_ctrgcn

from ossein.errors import DataError, SkeletonError
from ossein.readers import npz
from ossein.readers.npz import CTRGCN
from ossein.skeleton import Skeleton


def saved(folder: Path, name: str = "mine.npz", **changed) -> Path:
    arrays = ctrgcn_arrays() | changed
    np.savez(folder / name, **{key: array for key, array in arrays.items() if array is not None})
    return folder / name


def test_bodies_frames_and_labels(tmp_path):
    source = CTRGCN().read(write_ctrgcn(tmp_path))
    clips = list(source.clips)
    assert [clip.name for clip in clips] == ["train_000000", "train_000001", "train_000002", "test_000000"]
    assert source.splits == {"xsub_train": tuple(c.name for c in clips[:3]), "xsub_test": ("test_000000",)}
    assert [clip.label for clip in clips] == [0, 1, 2, 0]
    assert [clip.x.shape for clip in clips] == [(1, 2, 25, 3), (2, 3, 25, 3), (1, 4, 25, 3), (1, 2, 25, 3)]
    x = ctrgcn_arrays()["x_train"]
    for n, clip in enumerate(clips[:3]):
        for m, t, v in np.ndindex(*clip.x.shape[:3]):  # body-major, then joint, then axis
            assert np.array_equal(clip.x[m, t, v], x[n, t, 75 * m + 3 * v : 75 * m + 3 * v + 3])
        assert (clip.score == 1).all()


def test_zeros_inside_are_absent_and_zeros_behind_are_padding(tmp_path):
    arrays = ctrgcn_arrays()
    x = arrays["x_train"].copy()
    x[1, 0], x[2, 1, :75] = 0, 0
    source = CTRGCN().read(saved(tmp_path, x_train=x))
    clips = list(source.clips)
    assert clips[1].score[:, :, 0].tolist() == [[0, 1, 1], [0, 1, 1]]
    assert clips[2].score[0, :, 0].tolist() == [1, 0, 1, 1]


def test_a_clip_of_zeros_is_one_absent_frame(tmp_path):
    source = CTRGCN().read(saved(tmp_path, x_train=np.zeros((3, 6, 150), np.float32)))
    clip = next(source.clips)
    assert clip.x.shape == (1, 1, 25, 3)
    assert clip.score.max() == 0


def test_labels_as_numbers_and_compressed_archives(tmp_path):
    arrays = ctrgcn_arrays() | {"y_train": np.array([3, 1, 0])}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    assert [clip.label for clip in CTRGCN().read(tmp_path / "a.npz").clips] == [3, 1, 0, 0]


def test_other_skeletons(tmp_path):
    x = np.ones((3, 6, 60), np.float32)
    source = CTRGCN().read(saved(tmp_path, x_train=x, x_test=x[:1]), skeleton=Skeleton.of("kinect-20"))
    assert next(source.clips).x.shape == (1, 6, 20, 3)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("NTU60_CV.npz", "xview_"),
        ("NTU60_XView.npz", "xview_"),
        ("NTU120_CSub.npz", "xsub_"),
        ("NTU60_XSub.npz", "xsub_"),
        ("NTU120_CSet.npz", "xset_"),
        ("ntu120-xset.npz", "xset_"),
        ("mine.npz", ""),
    ],
)
def test_the_protocol_is_read_off_the_name(name, prefix, tmp_path):
    assert list(CTRGCN().read(saved(tmp_path, name)).splits) == [f"{prefix}train", f"{prefix}test"]


def test_coordinates_are_read_clip_by_clip(tmp_path, monkeypatch):
    sizes = []
    exactly = npz._exactly
    monkeypatch.setattr(npz, "_exactly", lambda file, size: sizes.append(size) or exactly(file, size))
    clips = CTRGCN().read(write_ctrgcn(tmp_path)).clips
    before = len(sizes)
    next(clips)
    assert sizes[before:] == [6 * 150 * 4]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x_test": None}, "has no 'x_test'"),
        ({"y_train": None}, "has no 'y_train'"),
        ({"x_train": np.zeros((3, 6, 50, 3), np.float32)}, r"x_train is float32 \[3, 6, 50, 3\]"),
        ({"x_train": np.zeros((3, 6, 150), int)}, "x_train is int64"),
        ({"x_train": np.zeros((3, 0, 150))}, r"\[3, 0, 150\]"),
        ({"x_train": np.zeros((3, 6, 150), object)}, "x_train.*cannot be streamed"),
        ({"x_train": np.zeros((150, 6, 3)).T}, "cannot be streamed"),
        ({"y_train": np.eye(4)[:2]}, r"y_train is float64 \[2, 4\], expected \[3\]"),
        ({"y_train": np.zeros((3, 4))}, "neither one-hot"),
        ({"y_train": np.ones((3, 4))}, "neither one-hot"),
        ({"y_train": np.full((3, 2), 0.5)}, "neither one-hot"),
        ({"y_train": np.zeros(3)}, "neither one-hot nor whole numbers"),
        ({"y_train": np.array([0, 9, 1])}, "clip 'train_000001': label 9, expected 0 to 3"),
        ({"x_train": np.full((3, 6, 150), np.nan, np.float32)}, "clip 'train_000000'.*not finite"),
    ],
)
def test_bad_arrays_are_named(changed, words, tmp_path):
    path = saved(tmp_path, **changed)
    with pytest.raises(DataError, match=words) as caught:
        list(CTRGCN().read(path, classes="abcd").clips)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_width_that_is_no_skeleton(tmp_path):
    with pytest.raises(SkeletonError, match="x_train has 150 numbers a frame, expected 51 for one body or 102"):
        CTRGCN().read(write_ctrgcn(tmp_path), skeleton=Skeleton.of("coco-17"))


def test_damage_inside_a_member(tmp_path):
    path = write_ctrgcn(tmp_path)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("x_train.npy").header_offset
    data = bytearray(path.read_bytes())
    data[start + 2000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"NTU60_CS\.npz: is no whole archive.*CRC"):
        list(CTRGCN().read(path).clips)


def test_other_archives_are_not_taken(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 and no more")
    assert not any(CTRGCN().sniff(tmp_path / name) for name in ("a.npz", "b.npz"))


@pytest.mark.parametrize(("old", "new"), [(b"{'descr'", b"{{descr'"), (b"'<f4'", b"'<q4'"), (b"(3, 6", b"(3, x")])
def test_a_damaged_header(old, new, tmp_path):
    path = write_ctrgcn(tmp_path)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(DataError, match=r"NTU60_CS\.npz"):
        list(CTRGCN().read(path).clips)
