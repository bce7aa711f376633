"""`ossein data get` as a user types it."""

import functools
import http.server
import pickle
import threading

import numpy as np
import pytest

from ossein.store import Store, datasets


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives out files and says nothing of it."""

    def log_message(self, format: str, *args) -> None:
        pass


@pytest.fixture
def mirror(tmp_path_factory):
    """The address of a server with a tiny file in the place of FineGym's."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "gym").mkdir()
    clips = [
        {
            "frame_dir": f"clip {n}",
            "label": n,
            "total_frames": 3,
            "img_shape": (240, 320),
            "keypoint": np.full((1, 3, 17, 2), 10 + n, np.float16),
            "keypoint_score": np.ones((1, 3, 17), np.float16),
        }
        for n in range(3)
    ]
    data = {"split": {"train": ["clip 0", "clip 1"], "val": ["clip 2"]}, "annotations": clips}
    (folder / "gym" / "gym_hrnet.pkl").write_bytes(pickle.dumps(data))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{web.server_address[1]}"
        web.shutdown()
        thread.join()


def test_get(cli, tmp_path, mirror):
    done = cli("data", "get", "finegym", "--mirror", mirror)
    assert done.code == 0, done.err
    assert "100 %" in done.out
    for told in ("FineGym-99, HRNet poses", "mean_class", "against nothing", "Shao, Zhao, Dai, Lin"):
        assert told in done.out
    assert len(Store.open(tmp_path / "data" / "gym-hrnet.clips")) == 3
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["data", "gym-hrnet.clips"]
    assert cli("data", "get", "finegym", "--mirror", "http://nowhere.invalid").code == 0  # it is there


def test_keep_the_download(cli, tmp_path, mirror):
    assert cli("data", "get", "gym-hrnet", "--mirror", mirror, "--folder", "sets", "--keep-download").code == 0
    assert {one.name for one in (tmp_path / "sets" / "gym-hrnet").iterdir()} == {"gym_hrnet.pkl", "meta.json"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("finegim", "no data set is called 'finegim'. Did you mean 'finegym'"),
        ("ntu60-raw", "rose1.ntu.edu.sg"),
        ("kinetics", "'ossein data prepare kinetics PATH kinetics-skeleton.clips'"),
        ("penn", "bring its files into a table, then run 'ossein data prepare table PATH penn-action.clips'"),
        ("gym-hrnet --mirror nowhere", "'nowhere' is no web address"),
        ("ntu60 --mirror MIRROR", "does not give the file (404"),
    ],
)
def test_what_cannot_be_had_is_one_line(cli, tmp_path, mirror, words, told):
    done = cli("data", "get", *words.replace("MIRROR", mirror).split())
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert told in done.err
    assert list(tmp_path.rglob("*.*")) == []


def test_the_list_shows_the_catalogue(cli):
    done = cli("data", "list")
    assert done.code == 0
    for name, entry in datasets().items():
        line = next(line for line in done.out.splitlines() if line.lstrip().startswith(f"{name} "))
        assert entry.title in line
        assert ("at once" if entry.file else "on request") in line


def test_help(cli):
    done = cli("data", "get", "--help")
    assert done.code == 0
    for option in ("--folder", "--keep-download", "--mirror"):
        assert option in done.out
