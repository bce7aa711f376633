"""From a name to a store: a tiny genuine PYSKL pickle on a server of this machine, fetched, prepared, labelled."""

import functools
import hashlib
import http.server
import json
import pickle
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from ossein.errors import DataError, SettingsError, SkeletonError
from ossein.readers import get_reader
from ossein.recipes.get import get
from ossein.store import Entry, Store, resolve


def annotations(num=6, joints=17, dims=2):
    rng = np.random.default_rng(0)
    clips = [
        {
            "frame_dir": f"S001C00{1 + n % 3}P00{1 + n}R001A00{1 + n % 2}",
            "label": n % 2,
            "total_frames": 4,
            "img_shape": (240, 320),
            "original_shape": (240, 320),
            "keypoint": rng.uniform(10, 200, (1, 4, joints, dims)).astype(np.float16),
            "keypoint_score": rng.uniform(0.5, 1, (1, 4, joints)).astype(np.float16),
        }
        for n in range(num)
    ]
    names = [clip["frame_dir"] for clip in clips]
    return pickle.dumps({"split": {"xsub_train": names[:4], "xsub_val": names[4:]}, "annotations": clips})


PICKLE = annotations()
SHA = hashlib.sha256(PICKLE).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives out the files of a folder and notes what it was asked for."""

    def __init__(self, *args, asked: list[str], **more) -> None:
        self.asked = asked
        super().__init__(*args, **more)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args) -> None:
        pass


@contextmanager
def serving(folder):
    """A server for a folder: its address, and what it was asked for."""
    asked: list[str] = []
    handler = functools.partial(Handler, directory=str(folder), asked=asked)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_address[1]}", asked
        finally:
            web.shutdown()
            thread.join()


@pytest.fixture
def mirror(tmp_path):
    """A server with one file, `tiny/tiny.pkl`, in `there`, and what it was asked for."""
    (tmp_path / "there" / "tiny").mkdir(parents=True)
    (tmp_path / "there" / "tiny" / "tiny.pkl").write_bytes(PICKLE)
    with serving(tmp_path / "there") as (base, asked):
        yield base, asked


@pytest.fixture
def tiny(mirror):
    """A catalogue of that file alone, its fields changed as asked for."""

    def make(**fields):
        plain = {
            "name": "tiny-hrnet",
            "title": "Tiny",
            "about": "Six clips.",
            "aliases": ["tiny"],
            "classes": 2,
            "skeleton": "coco-17",
            "splits": ["xsub"],
            "metric": "mean_class",
            "licence": "free",
            "cite": "Nobody (2020)",
            "page": "https://tiny.example",
            "format": "pyskl",
            "base": mirror[0],
            "file": "tiny/tiny.pkl",
        }
        entry = Entry.read({**plain, **fields})
        return {entry.name: entry}

    return make


def test_a_name_becomes_a_store(tmp_path, tiny):
    store = get("Tiny", tmp_path / "data", catalogue=tiny(size=len(PICKLE), sha256=SHA, class_names="ntu"))
    assert store.path == tmp_path / "data" / "tiny-hrnet.clips"
    assert (len(store), store.skeleton.name, store.classes) == (6, "coco-17", ("drink water", "eat meal/snack"))
    assert len(resolve(store, "xsub").train) == 4
    there = get_reader("pyskl").read(tmp_path / "there" / "tiny" / "tiny.pkl")
    for index, clip in enumerate(there.clips):
        np.testing.assert_array_equal(store.clip(index).x, clip.x)
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["tiny-hrnet.clips"]


def test_a_genuine_file_of_hrnet_poses(tmp_path, tiny, real_data):
    folder = real_data("hrnet16")
    with serving(folder) as (base, _):
        store = get("tiny", tmp_path, catalogue=tiny(base=base, file="hrnet16.pkl"))
    source = get_reader("pyskl").read(folder / "hrnet16.pkl")
    assert (len(store), store.skeleton.name) == (source.num_clips, "coco-17")
    first = next(iter(source.clips))
    np.testing.assert_array_equal(store.clip(0).x, first.x)


def test_the_store_says_where_it_comes_from(tmp_path, tiny, mirror):
    facts = get("tiny", tmp_path, catalogue=tiny(size=len(PICKLE), sha256=SHA)).facts
    assert {**facts, "name": ""} == {
        "name": "",
        "data set": "tiny-hrnet",
        "title": "Tiny",
        "source": "https://tiny.example",
        "origin": f"{mirror[0]}/tiny/tiny.pkl",
        "licence": "free",
        "citation": "Nobody (2020)",
        "metric": "mean_class",
        "sha256": SHA,
        "checked": "size and SHA-256",
    }


def test_a_file_without_a_known_checksum_is_said_to_be_unchecked(tmp_path, tiny):
    store = get("tiny", tmp_path, catalogue=tiny(), keep_download=True)
    assert store.facts["checked"].startswith("against nothing")
    assert store.facts["sha256"] == SHA
    assert json.loads((tmp_path / "tiny-hrnet" / "meta.json").read_text())["sha256"] == SHA
    assert (tmp_path / "tiny-hrnet" / "tiny.pkl").read_bytes() == PICKLE


def test_a_store_that_is_there_is_not_fetched_again(tmp_path, tiny, mirror):
    first = get("tiny", tmp_path, catalogue=tiny())
    again = get("tiny", tmp_path, catalogue=tiny(file=None))
    assert again.hash == first.hash
    assert mirror[1] == ["/tiny/tiny.pkl"]


def test_a_download_that_someone_put_there_is_used_and_stays(tmp_path, tiny, mirror):
    place = tmp_path / "data" / "tiny-hrnet"
    place.mkdir(parents=True)
    (place / "tiny.pkl").write_bytes(PICKLE)
    (place / "meta.json").write_text(json.dumps({"class_names": ["sip", "bite"], "sensor": "mine", "title": "old"}))
    store = get("tiny", tmp_path / "data", catalogue=tiny(class_names="ntu"))
    assert (store.classes, store.facts["sensor"], store.facts["title"]) == (("sip", "bite"), "mine", "Tiny")
    assert mirror[1] == []
    assert "origin" not in store.facts  # nobody knows
    assert sorted(one.name for one in place.iterdir()) == ["meta.json", "tiny.pkl"]


def test_another_server_by_its_address(tmp_path, tiny, mirror):
    store = get("tiny", tmp_path, catalogue=tiny(base="http://nowhere.invalid"), mirror=mirror[0] + "/")
    assert store.facts["origin"] == f"{mirror[0]}/tiny/tiny.pkl"
    with pytest.raises(SettingsError, match="no web address"):
        get("tiny", tmp_path / "else", catalogue=tiny(), mirror="nowhere")


def test_progress_is_told_step_by_step(tmp_path, tiny):
    seen: dict[tuple[str, str], list] = {}

    @contextmanager
    def bar(title, unit):
        told = seen.setdefault((title, unit), [])
        yield lambda done, total: told.append((done, total))

    get("tiny", tmp_path, catalogue=tiny(), bar=bar)
    assert seen["tiny-hrnet", "MB"][-1] == (0, 1)
    assert seen["tiny-hrnet.clips", "clip"] == [(n, 6) for n in range(1, 7)]
    assert list(seen) == [("tiny-hrnet", "MB"), ("tiny-hrnet.clips", "clip")]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"size": 7}, r"has \d+ bytes, expected 7"),
        ({"sha256": "0" * 64}, r"expected 0{64}. It is kept as .*tiny\.pkl\.bad"),
        ({"file": "tiny/none.pkl"}, r"does not give the file \(404"),
        ({"file": None}, r"cannot be fetched, it is given out at https://tiny.example. Ask for it there, then run"),
    ],
)
def test_what_cannot_be_fetched_leaves_no_store(tmp_path, tiny, fields, told):
    with pytest.raises(DataError, match=told):
        get("tiny", tmp_path / "data", catalogue=tiny(**fields))
    assert not (tmp_path / "data" / "tiny-hrnet.clips").exists()


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        (PICKLE[:-50], DataError, "is not a whole pickle"),
        (annotations(joints=5), SkeletonError, "5 joints"),
    ],
)
def test_a_download_that_cannot_be_read_is_kept(tmp_path, tiny, body, error, told):
    (tmp_path / "there" / "tiny" / "tiny.pkl").write_bytes(body)
    with pytest.raises(error, match=rf"{told}.*download is kept as .*tiny\.pkl"):
        get("tiny", tmp_path / "data", catalogue=tiny())
    assert (tmp_path / "data" / "tiny-hrnet" / "tiny.pkl").read_bytes() == body
    assert not (tmp_path / "data" / "tiny-hrnet.clips").exists()
    # With the file taken away, as the message says, the next call begins anew.
    (tmp_path / "data" / "tiny-hrnet" / "tiny.pkl").unlink()
    (tmp_path / "there" / "tiny" / "tiny.pkl").write_bytes(PICKLE)
    assert len(get("tiny", tmp_path / "data", catalogue=tiny())) == 6


def test_notes_beside_a_download_that_are_no_object(tmp_path, tiny):
    (tmp_path / "tiny-hrnet").mkdir()
    (tmp_path / "tiny-hrnet" / "meta.json").write_text("[]")
    with pytest.raises(DataError, match=r"meta\.json: holds a list"):
        get("tiny", tmp_path, catalogue=tiny())


def test_a_store_made_by_hand_of_a_set_that_is_given_out_on_request(tmp_path, tiny):
    made = get("tiny", tmp_path, catalogue=tiny())
    made.path.rename(tmp_path / "penn-action.clips")
    assert get("penn", tmp_path).hash == made.hash
    assert Store.open(tmp_path / "penn-action.clips").hash == made.hash
