"""Fetching a file that is not what it should be, from servers that are gone, to disks that are full."""

import resource
import shutil
import socket
import time

import pytest
from servers import BODY, SHA, left, quick, serving

from ossein.errors import DataError
from ossein.store import fetch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "data.pkl"


# Files that are not what they should be


def test_a_server_whose_file_has_another_size_is_asked_for_nothing_more(path):
    with serving() as server, pytest.raises(DataError, match=r"has 300000 bytes, expected 299999.*--mirror"):
        quick(server.url, path, size=299_999)
    assert left(path) == []


def test_a_server_that_announces_less_than_it_has(path):
    with serving(says=1000) as server, pytest.raises(DataError, match=r"has 1000 bytes, expected 300000"):
        quick(server.url, path, size=len(BODY))


def test_a_server_that_announces_more_than_it_sends(path):
    with serving(says=400_000) as server, pytest.raises(DataError, match=r"cut off 2 times"):
        quick(server.url, path, tries=2)
    assert not path.exists()


def test_a_wrong_checksum_keeps_the_bad_file_apart_and_the_next_call_begins_anew(path):
    with serving(body=BODY[::-1]) as server:
        with pytest.raises(DataError, match=rf"SHA-256 [0-9a-f]+, expected {SHA}. It is kept as .*data\.pkl\.bad"):
            quick(server.url, path, sha256=SHA)
        assert left(path) == ["data.pkl.bad"]
        server.body = BODY
        assert quick(server.url, path, sha256=SHA) == SHA
    assert left(path) == ["data.pkl", "data.pkl.bad"]
    assert path.with_name("data.pkl.bad").read_bytes() == BODY[::-1]


def test_a_web_page_is_no_data(path):
    with serving(kind="text/html; charset=utf-8") as server, pytest.raises(DataError, match="a web page came"):
        quick(server.url, path)
    assert left(path) == []


# Servers that are gone, disks that are full


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_server_that_does_not_give_the_file_is_asked_once(path, code):
    with serving(refuses=[code] * 9) as server, pytest.raises(DataError, match=rf"does not give the file \({code} "):
        quick(server.url, path)
    assert len(server.asked) == 1
    assert left(path) == []


def test_a_server_that_is_busy_for_too_long(path):
    with serving(refuses=[503] * 9) as server, pytest.raises(DataError, match=r"answers 503 Service Unavailable"):
        quick(server.url, path, tries=2)


@pytest.mark.parametrize(
    "address", ["http://nowhere.invalid/f", "http://127.0.0.1:PORT/f", "http:///f", "http://a..b/f", "http://h:x/f"]
)
def test_no_way_to_the_server_is_said_at_once(path, address, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address.replace("PORT", str(free.getsockname()[1]))
        began = time.perf_counter()
        with pytest.raises(DataError, match=r"cannot be reached .*--mirror"):
            fetch(address, path)
    assert time.perf_counter() - began < 5  # no waits
    assert not path.parent.exists()


def test_a_network_that_goes_away_meanwhile_is_waited_for(path):
    with serving(cuts=[1000]) as server, pytest.raises(DataError):
        quick(server.url, path, tries=1)
    with pytest.raises(DataError, match=r"cut off 2 times in a row .*1000 bytes have come"):
        quick(server.url, path, tries=2)  # the server is gone by now


def test_a_disk_without_room_is_seen_beforehand(path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 9))
    with serving() as server, pytest.raises(DataError, match=r"needs 0 MB of disk space, 0 MB are free"):
        quick(server.url, path)


def test_a_disk_that_is_full_keeps_what_has_come(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving() as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))
        try:
            with pytest.raises(DataError, match=r"data\.pkl\.part: cannot be written \(File too large\)"):
                quick(server.url, path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        have = path.with_name("data.pkl.part").stat().st_size
        assert 0 < have <= 70_000
        assert quick(server.url, path) == SHA
    assert server.asked[1][0] == f"bytes={have}-"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with serving() as server, pytest.raises(DataError, match=r"cannot be written \((Not a directory|File exists)\)"):
        quick(server.url, tmp_path / "file" / "f")


def test_a_screen_that_goes_away_is_no_fault_of_the_disk(path):
    def gone(done, total):
        raise BrokenPipeError

    with serving() as server, pytest.raises(BrokenPipeError):
        quick(server.url, path, told=gone)
