"""Preparing stores: what readers and the generator give is what the store holds."""

import numpy as np
import pytest

from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.readers.synthetic import SyntheticSettings, synthetic
from ossein.recipes.prepare import generate, prepare

JOINTS = ("hip", "left_knee", "right_knee")
SKELETON = "joints: [hip, left_knee, right_knee]\nbones: [[0, 1], [0, 2]]\n"


@pytest.fixture
def table(tmp_path):
    """Two clips of two frames of three joints."""
    rows = [f"{c},{t},{j},{t},{j},{c}" for c in ("one", "two") for t in range(2) for j in range(3)]
    file = tmp_path / "mine.csv"
    file.write_text("clip,frame,joint,x,y,label\n" + "\n".join(rows) + "\n")
    (tmp_path / "three.yaml").write_text(SKELETON)
    (tmp_path / "names.txt").write_text("two\n\none\n")
    return file


@pytest.mark.parametrize("format", ["auto", "table"])
def test_a_file(table, tmp_path, format):
    told = []
    store = prepare(
        format,
        table,
        tmp_path / "mine.clips",
        skeleton=str(tmp_path / "three.yaml"),
        classes=tmp_path / "names.txt",
        progress=lambda done, total: told.append((done, total)),
    )
    assert store.names == ("one", "two")
    assert store.classes == ("two", "one")
    assert store.labels.tolist() == [1, 0]
    assert store.skeleton.joints == JOINTS
    assert told == [(1, 2), (2, 2)]
    np.testing.assert_array_equal(store.clip(0).x[0, :, :, 1], [[0, 1, 2], [0, 1, 2]])


def test_a_store_is_not_replaced_unasked(table, tmp_path):
    out = tmp_path / "mine.clips"
    out.write_text("precious")
    call = {"skeleton": str(tmp_path / "three.yaml")}
    for make in (lambda **k: prepare("auto", table, out, **call, **k), lambda **k: generate(SyntheticSettings(), out)):
        with pytest.raises(SettingsError, match=r"exists already. Add --overwrite"):
            make()
    assert out.read_text() == "precious"
    assert len(prepare("auto", table, out, **call, overwrite=True)) == 2


@pytest.mark.parametrize(
    ("format", "source", "skeleton", "error", "told"),
    [
        ("auto", "nowhere.csv", None, DataError, "does not exist"),
        ("table", "nowhere.csv", None, DataError, "does not exist"),
        ("tabel", "mine.csv", None, DataError, "Did you mean 'table'"),
        ("auto", "three.yaml", None, DataError, "looks like none of the formats"),
        ("auto", "mine.csv", None, SkeletonError, "Name them with --skeleton"),
        ("auto", "mine.csv", "coco17", SkeletonError, "Did you mean 'coco-17'"),
        ("auto", "mine.csv", "nowhere.yaml", DataError, "nowhere.yaml"),
    ],
)
def test_what_goes_wrong_leaves_nothing(table, tmp_path, monkeypatch, format, source, skeleton, error, told):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=told):
        prepare(format, tmp_path / source, tmp_path / "deep" / "out.clips", skeleton=skeleton)
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file()] == before


def test_synthetic_clips(tmp_path):
    settings = SyntheticSettings(clips=6, persons=3, dims=3, frames=(8, 9))
    store = generate(settings, tmp_path / "s.clips")
    for clip, same in zip(synthetic(settings).clips, (store.clip(i) for i in range(6)), strict=True):
        np.testing.assert_array_equal(clip.x, same.x)
        np.testing.assert_array_equal(clip.score, same.score)
    assert set(store.splits) == {"xsub_train", "xsub_val"}
