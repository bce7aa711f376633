import copy
import json
import multiprocessing
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossein.clip import Clip
from ossein.errors import DataError, OsseinError
from ossein.store import Store

ROWS = sum((1 + i % 2) * (1 + i) for i in range(6))


@pytest.fixture(scope="module")
def store(build, random_clip):
    clips = [random_clip(i, persons=1 + i % 2, frames=1 + i, label=i % 2, subject=i, size=(4, 3)) for i in range(6)]
    return build(clips, splits={"train": ("clip 0", "clip 3"), "val": ("clip 1",)}, facts={"unit": "metre"})


@pytest.fixture
def rewritten(store, tmp_path):
    """A store whose header was changed by a function."""

    def change(edit) -> Store:
        raw = store.path.read_bytes()
        length = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + length])
        edit(header)
        text = json.dumps(header).encode()
        path = tmp_path / "changed.clips"
        path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
        return Store.open(path)

    return change


def test_what_a_store_knows(store):
    assert (len(store), store.dims, store.max_persons, store.has_sizes) == (6, 2, 2, True)
    assert store.labels.dtype == np.int64
    assert store.labels.tolist() == [0, 1] * 3
    assert store.subjects.tolist() == list(range(6))
    assert store.frames.tolist() == list(range(1, 7))
    assert store.facts == {"unit": "metre"}
    assert {name: members.tolist() for name, members in store.splits.items()} == {"train": [0, 3], "val": [1]}
    assert repr(store) == f"Store('{store.path}', 6 clips, triangle, 2 classes)"


def test_one_clip_without_a_size_and_the_sizes_are_not_known(build, random_clip):
    assert not build([random_clip(0, size=(4, 3)), random_clip(1)]).has_sizes


def test_a_clip_that_is_not_there(store):
    for index in (-1, 6):
        with pytest.raises(DataError, match=f"there is no clip {index}, they are numbered 0 to 5"):
            store.clip(index)
    with pytest.raises(DataError, match=r"no clip is called 'clip0'. Did you mean 'clip 0'"):
        store.find("clip0")


def test_a_file_cut_short_anywhere_is_told(store, tmp_path):
    raw = store.path.read_bytes()
    path = tmp_path / "short.clips"
    for size in {*range(0, len(raw), 41), *range(20), len(raw) - 1}:
        path.write_bytes(raw[:size])
        with pytest.raises(DataError, match=r"short.clips: is (cut short|not a clip store)"):
            Store.open(path)
    path.write_bytes(raw + b"\0")
    with pytest.raises(DataError, match="1 byte too many"):
        Store.open(path)


def test_files_that_are_no_store(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(DataError, match="cannot be read \\(No such file"):
        Store.open(tmp_path / "absent.clips")
    with pytest.raises(DataError, match="cannot be read"):
        Store.open(tmp_path)
    path = tmp_path / "other"
    for raw in (b"", pickle.dumps({"split": {}}), b"PK\3\4" + bytes(99), b"{" * 99):
        path.write_bytes(raw)
        with pytest.raises(DataError, match="is not a clip store"):
            Store.open(path)
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(DataError, match="is a safetensors file, but not a clip store"):
        Store.open(path)


def _set(*keys):
    *path, last, value = keys

    def edit(header):
        for key in path:
            header = header[key]
        header[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_set("__metadata__", "version", "2"), "clip store of version 2, this ossein reads version 1"),
        (_set("__metadata__", "format", "x"), "not a clip store"),
        (_set("__metadata__", "classes", '["one"]'), "label 1 of 1 class"),
        (_set("__metadata__", "classes", "[1, 2]"), "no text"),
        (_set("__metadata__", "classes", "[["), "is damaged"),
        (_set("__metadata__", "skeleton", '{"name": "s"}'), "not a skeleton"),
        (_set("__metadata__", "skeleton", "3"), "is damaged"),
        (lambda header: header["__metadata__"].pop("hash"), "'hash' is missing"),
        (_set("__metadata__", 3), "its header is damaged"),
        (_set("x", "dtype", "BF16"), "its header is damaged"),
        (_set("x", "dtype", "I32"), "array 'x' has the wrong type or shape"),
        (_set("x", "shape", [1, 3, 2]), "its header is damaged"),
        (_set("x", "shape", [-31, -3, 2]), "its header is damaged"),
        (_set("x", "data_offsets", [0, 744]), "its header is damaged"),
        (lambda header: header["digest"].update(header["start"]), "arrays overlap or leave a gap"),
        (lambda header: header.pop("setup"), "arrays overlap or leave a gap"),
        (_set("label", {}), "its header is damaged"),
        (lambda header: header.update(start=header["digest"], digest=header["start"]), "clips overlap or leave a gap"),
        (lambda header: header.update(frames=header.pop("persons"), persons=header.pop("frames")), None),
        (lambda header: header.update(label=header.pop("camera"), camera=header.pop("label")), None),
        (_set("start", "shape", [3, 2]), "array 'start' has the wrong type or shape"),
        (_set("split/val", "shape", [1, 1]), "array 'split/val' has the wrong type or shape"),
        (_set("score", "shape", [1, 3 * ROWS]), f"score [1, {3 * ROWS}] does not fit x [{ROWS}, 3, 2]"),
        (_set("x", "shape", [ROWS, 1, 6]), f"x [{ROWS}, 1, 6] does not hold {ROWS} person-frames of 3 joints"),
        (lambda header: header.update({"split/more": header.pop("subject")}), "'subject' is missing"),
        (lambda header: header.update({"score": header.pop("x"), "x": header.pop("score")}), "wrong type or shape"),
    ],
)
def test_a_header_that_was_tampered_with(rewritten, edit, words):
    if words is None:  # another store, but a sound one
        assert len(rewritten(edit)) == 6
    else:
        with pytest.raises(DataError, match=re.escape(words)):
            rewritten(edit)


def test_tables_that_contradict_each_other(store, tmp_path):
    raw = store.path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    path = tmp_path / "wrong.clips"
    for name, value in [("start", 7), ("frames", 0), ("persons", 9), ("label", 2), ("label", -2), ("split/train", 6)]:
        at, data = 8 + length + header[name]["data_offsets"][0], bytearray(raw)
        width = int(header[name]["dtype"][1:]) // 8
        data[at : at + width] = value.to_bytes(width, "little", signed=True)
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"wrong.clips: is damaged"):
            Store.open(path)
    path.write_bytes(raw.replace(b"clip 0\nclip 1", b"clip 0 clip 1"))
    with pytest.raises(DataError, match="5 names for 6 clips"):
        Store.open(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_byte_of_the_header_gives_a_traceback(store, tmp_path_factory, data):
    raw = bytearray(store.path.read_bytes())
    length = int.from_bytes(raw[:8], "little")
    for at in data.draw(st.lists(st.integers(0, 7 + length), min_size=1, max_size=3)):
        raw[at] = data.draw(st.sampled_from(b'{}[]",:0129-.eax\xff\0'))
    path = tmp_path_factory.getbasetemp() / "fuzzed.clips"
    path.write_bytes(raw)
    try:
        changed = Store.open(path)
    except OsseinError:
        return
    assert changed.clip(5).x.shape == (2, 6, 3, 2)


def _double(store: Store) -> tuple[int, np.ndarray]:
    return len(store), store.clip(3).x


def test_a_pickled_store_is_a_few_bytes_and_maps_the_file_again(store):
    packed = pickle.dumps(store)
    assert len(packed) < 500
    for other in (pickle.loads(packed), copy.deepcopy(store)):
        np.testing.assert_array_equal(other.x, store.x)
        assert not other.x.flags.writeable
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        num, x = pool.apply(_double, (store,))
    assert num == 6
    np.testing.assert_array_equal(x, store.clip(3).x)


def test_a_store_that_changed_under_its_pickle_is_refused(build, random_clip):
    store = build([random_clip(0)])
    packed = pickle.dumps(store)
    store.path.write_bytes(build([random_clip(1)]).path.read_bytes())
    with pytest.raises(DataError, match="holds other clips than when it was opened"):
        pickle.loads(packed)


def test_identical_clips_are_found_and_near_ones_are_not(build, random_clip):
    a, b = random_clip(1, frames=2), random_clip(2, frames=2)
    nearly = Clip(a.x, np.where(a.score > 0.5, np.float32(0.5), a.score), "nearly")
    turned = Clip(a.x.reshape(2, 1, 3, 2), a.score.reshape(2, 1, 3), "turned")  # the same numbers in another shape
    clips = [a, b, Clip(a.x, a.score, "again"), nearly, turned, Clip(a.x, a.score, "once more")]
    store = build(clips)
    assert store.identical([1, 2, 3, 4, 5], [0, 1, 2]) == [(2, 0), (5, 0)]
    assert store.identical(range(6), range(6)) == [(0, 2), (2, 0), (5, 0)]
    store.digests[:] = 0  # were all digests to collide, the bytes would still decide
    assert store.identical([1, 2, 3, 4, 5], [0, 1, 2]) == [(2, 0), (5, 0)]


def test_opening_a_store_needs_no_torch(store):
    code = f"import sys; from ossein.store import Store; Store.open({str(store.path)!r}).clip(0); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_leak_in_nw_ucla_is_found(real_data, tmp_path):
    from ossein.readers.pyskl import PYSKL
    from ossein.store import resolve, write_store

    store = write_store(PYSKL().read(real_data("nw_ucla") / "nw_ucla.pkl"), tmp_path / "nw.clips")
    assert (len(store), len(store.classes), store.frames.min()) == (1484, 10, 1)

    def leaked(word):
        split = resolve(store, word)
        return [test for test, _ in store.identical(split.test, split.train)]

    twins = leaked("xview")
    assert len(twins) == 95
    assert set(store.labels[twins].tolist()) == {1, 2}
    assert leaked("xview1") == leaked("xview_train:xview_val_nodup") == []
    assert len(resolve(store, "xview_train:xview_val_nodup").test) == 369
