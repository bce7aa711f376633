import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ossein.errors import DataError
from ossein.readers.unpickle import load_pickle


def stored(folder: Path, data: bytes) -> Path:
    (folder / "poses.pkl").write_bytes(data)
    return folder / "poses.pkl"


ARRAYS = [
    np.arange(12, dtype=np.float16).reshape(2, 3, 2),
    np.arange(6, dtype=">f4").reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.zeros((0, 4, 17, 2), np.float16),
    np.array([True, False]),
    np.array(["bow", "wave"]),
    np.arange(5, dtype=np.int16)[::2],
    np.array(3.5),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{list(array.shape)}")
def test_arrays_come_back_as_numpy_itself_reads_them(array, protocol, tmp_path):
    path = stored(tmp_path, pickle.dumps({"x": array}, protocol=protocol))
    back = np.asarray(load_pickle(path)["x"])
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_and_numpy_scalars(protocol, tmp_path):
    data = {
        "a": [1, 2.5, None, True, (1, 2)],
        "b": b"\x00\xff",
        "c": np.int64(7),
        "d": np.float32(0.5),
        "e": np.str_("hi"),
    }
    back = load_pickle(stored(tmp_path, pickle.dumps(data, protocol=protocol)))
    assert back == data
    assert type(back["c"]) is int


def test_the_module_names_of_numpy_1_are_known(tmp_path):
    new = pickle.dumps(np.arange(3.0), protocol=2)
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core" in old
    assert np.asarray(load_pickle(stored(tmp_path, old))).tolist() == [0, 1, 2]


class Bomb:
    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize(
    ("call", "args", "name"),
    [
        (os.system, ("touch ran",), "posix.system|nt.system"),
        (eval, ("open('ran', 'w')",), "builtins.eval"),
        (getattr, ("text", "upper"), "builtins.getattr"),
        (np.load, ("ran",), r"numpy\.load"),
        (Path, ("ran",), "Path"),
    ],
)
def test_nothing_in_a_file_is_run(call, args, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = stored(tmp_path, pickle.dumps([Bomb(call, *args)]))
    with pytest.raises(DataError, match=f"poses.pkl: the file tries to load '.*({name}).*Nothing was run"):
        load_pickle(path)
    assert not (tmp_path / "ran").exists()


def test_dotted_names_do_not_reach_methods(tmp_path):
    name = pickle.SHORT_BINUNICODE + b"\x05numpy" + pickle.SHORT_BINUNICODE + b"\x0endarray.tofile"
    with pytest.raises(DataError, match=r"numpy\.ndarray\.tofile"):
        load_pickle(stored(tmp_path, pickle.PROTO + b"\x04" + name + pickle.STACK_GLOBAL + pickle.STOP))


def test_a_file_cannot_change_what_it_calls(tmp_path):
    """BUILD sets attributes of whatever lies on the stack; later files must not notice."""
    good = pickle.dumps(np.arange(3.0), protocol=4)
    for module, name in {"numpy._core.multiarray": "_reconstruct", "numpy": "ndarray", "_codecs": "encode"}.items():
        state = pickle.dumps((None, {"__defaults__": (1,), "__setstate__": 1, "array": 5}), protocol=2)[2:-1]
        path = stored(tmp_path, b"\x80\x02" + f"c{module}\n{name}\n".encode() + state + pickle.BUILD + pickle.STOP)
        with pytest.raises(DataError, match="not a whole pickle"):
            load_pickle(path)
        assert np.asarray(load_pickle(stored(tmp_path, good))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "data",
    [
        np.array([{"a": 1}, None], dtype=object),
        np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.zeros(2, complex),
    ],
    ids=["objects", "fields", "dates", "complex"],
)
def test_other_kinds_of_arrays_are_refused(data, tmp_path):
    with pytest.raises(DataError, match=r"poses\.pkl"):
        load_pickle(stored(tmp_path, pickle.dumps(data)))


def test_an_array_must_have_the_bytes_of_its_shape(tmp_path):
    good = pickle.dumps(np.zeros((3, 5), np.float32), protocol=2)
    with pytest.raises(DataError, match="60 bytes"):
        load_pickle(stored(tmp_path, good.replace(b"K\x03K\x05\x86", b"K\x03K\x09\x86")))


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99])
def test_a_pickle_cut_short(share, tmp_path):
    data = pickle.dumps({"x": np.zeros(100), "names": ["a"] * 20})
    with pytest.raises(DataError, match=r"poses\.pkl: is not a whole pickle.*cut short"):
        load_pickle(stored(tmp_path, data[: int(share * len(data))]))


def test_text_is_no_pickle(tmp_path):
    with pytest.raises(DataError, match="not a whole pickle"):
        load_pickle(stored(tmp_path, b"frame,joint,x,y\n"))
