"""Fetching a file from servers that are well, slow, forgetful, mistaken or gone."""

import hashlib
import resource
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ossein.errors import DataError
from ossein.store import fetch

BODY = np.random.default_rng(0).bytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """What a server holds and how it misbehaves; requests are noted as (Range, If-Range)."""

    body: bytes = BODY
    tag: str | None = '"one"'
    date: str | None = None
    cuts: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers is cut off."""
    stall: float = 0.0
    """Seconds of silence before an answer that is to be cut off ends."""
    ranges: bool = True
    total: str | None = None
    """What it says of the whole length of the file in place of the truth."""
    shift: int = 0
    """By how many bytes the part that it sends is another one than was asked for."""
    says: int | None = None
    """The length that it announces; none if negative."""
    refuses: list[int] = field(default_factory=list)
    kind: str = "application/octet-stream"
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(**fields) -> Iterator[Server]:
    """A server on this machine for as long as the block lasts."""
    server = Server(**fields)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, same = self.headers.get("Range"), self.headers.get("If-Range")
            server.asked.append((asked, same))
            if server.refuses:
                self.send_error(server.refuses.pop(0))
                return
            part = bool(asked) and server.ranges and same in (None, server.tag, server.date)
            begin = int(asked.removeprefix("bytes=").rstrip("-")) + server.shift if part else 0
            if part and begin >= len(server.body):
                self.send_error(416)
                return
            rest = server.body[begin:]
            self.send_response(206 if part else 200)
            self.send_header("Content-Type", server.kind)
            for name, value in (("ETag", server.tag), ("Last-Modified", server.date)):
                if value:
                    self.send_header(name, value)
            if part:
                total = server.total or len(server.body)
                self.send_header("Content-Range", f"bytes {begin}-{len(server.body) - 1}/{total}")
            if server.says is None or server.says >= 0:
                self.send_header("Content-Length", str(len(rest) if server.says is None else server.says))
            self.end_headers()
            cut = server.cuts.pop(0) if server.cuts else None
            self.wfile.write(rest[:cut])
            if cut is not None:
                self.wfile.flush()
                time.sleep(server.stall)
            self.close_connection = True

        def log_message(self, format: str, *args) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{web.server_address[1]}/data.pkl"
    try:
        yield server
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "data.pkl"


def left(path):
    return sorted(one.name for one in path.parent.iterdir()) if path.parent.exists() else []


def quick(url, path, **more):
    return fetch(url, path, **{"wait": 0.001, "timeout": 5.0, **more})


# Servers that are well


def test_a_file_comes_whole_and_nothing_else_stays(path):
    told = []
    with serving() as server:
        digest = quick(server.url, path, size=len(BODY), sha256=SHA, told=lambda *at: told.append(at))
    assert (digest, path.read_bytes(), left(path)) == (SHA, BODY, ["data.pkl"])
    assert told == sorted(told)
    assert told[-1] == (len(BODY), len(BODY))


def test_a_file_that_is_there_is_not_fetched_again(path):
    path.parent.mkdir()
    path.write_bytes(BODY)
    assert fetch("http://nowhere.invalid/data.pkl", path, size=len(BODY), sha256=SHA) == SHA


@pytest.mark.parametrize("wrong", [{"size": 1}, {"sha256": "0" * 64}])
def test_a_file_that_is_there_but_wrong_is_neither_used_nor_removed(path, wrong):
    path.parent.mkdir()
    path.write_bytes(BODY)
    with pytest.raises(DataError, match=r"data\.pkl: has .*expected.*Remove it"):
        fetch("http://nowhere.invalid/data.pkl", path, **wrong)
    assert path.read_bytes() == BODY


def test_a_server_that_does_not_say_how_long_the_file_is(path):
    told = []
    with serving(says=-1, cuts=[len(BODY)]) as server:
        assert quick(server.url, path, sha256=SHA, told=lambda *at: told.append(at)) == SHA
    assert told[-1] == (len(BODY), None)


def test_an_empty_file_is_a_file(path):
    with serving(body=b"") as server:
        quick(server.url, path)
    assert path.read_bytes() == b""


# Servers that cut off


@pytest.mark.parametrize(
    ("tag", "date"), [('"one"', None), (None, "Sat, 01 Jan 2022 00:00:00 GMT"), (None, None), ('W/"x"', None)]
)
def test_what_is_cut_off_is_gone_on_with(path, tag, date):
    with serving(cuts=[100_000, 50_000], tag=tag, date=date) as server:
        assert quick(server.url, path) == SHA
    same = None if tag and tag.startswith("W/") else tag or date
    assert server.asked == [(None, None), ("bytes=100000-", same), ("bytes=150000-", same)]
    assert left(path) == ["data.pkl"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(path):
    with serving(cuts=[1000] * 3) as server:
        with pytest.raises(DataError, match=r"cut off 3 times in a row .*3000 bytes have come.*kept"):
            quick(server.url, path, tries=3)
        assert left(path) == ["data.pkl.part", "data.pkl.part.json"]
        assert quick(server.url, path) == SHA
    assert server.asked[-1] == ("bytes=3000-", '"one"')


def test_silence_is_a_cut_off(path):
    with serving(cuts=[1000], stall=0.5) as server:
        assert quick(server.url, path, timeout=0.1) == SHA
    assert server.asked[1][0] == "bytes=1000-"


def test_cut_offs_that_bring_a_megabyte_do_not_count(path):
    body = np.random.default_rng(1).bytes(4_000_000)
    with serving(body=body, cuts=[1_100_000] * 3) as server:
        quick(server.url, path, tries=1)
    assert path.read_bytes() == body


def test_a_server_that_always_begins_anew_is_given_up(path):
    with (
        serving(body=BODY * 5, cuts=[1_100_000] * 9, ranges=False) as server,
        pytest.raises(DataError, match="3 times"),
    ):
        quick(server.url, path, tries=3)
    assert len(server.asked) == 4  # the first brought a megabyte, the others nothing new


def test_waits_grow(path, monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with serving(refuses=[503, 429, 500, 502]) as server:
        quick(server.url, path, wait=2.0)
    assert waits == [2.0, 4.0, 8.0, 16.0]


def test_a_file_that_came_whole_before_the_end_of_an_earlier_call(path):
    with serving(cuts=[len(BODY) - 1]) as server:
        with pytest.raises(DataError):
            quick(server.url, path, tries=1)
        part = path.with_name("data.pkl.part")
        part.write_bytes(BODY)
        assert quick(server.url, path) == SHA
    assert len(server.asked) == 1


# Servers whose file is another one


def test_a_server_that_ignores_ranges_begins_anew(path):
    with serving(cuts=[100_000], ranges=False) as server:
        assert quick(server.url, path) == SHA
    assert server.asked[1][0] == "bytes=100000-"


@pytest.mark.parametrize("change", [{"tag": '"two"'}, {"tag": None, "date": None, "total": "12"}, {"shift": 7}])
def test_a_file_that_changes_meanwhile_is_fetched_anew(path, change):
    first = {"cuts": [100_000], **({"tag": None} if "total" in change else {})}
    with serving(**first) as server:
        with pytest.raises(DataError):
            quick(server.url, path, tries=1)
        server.body = BODY[::-1]
        for name, value in change.items():
            setattr(server, name, value)
        quick(server.url, path)
    assert path.read_bytes() == BODY[::-1]


def test_a_file_that_has_shrunk_is_fetched_anew(path):
    with serving(cuts=[100_000], tag=None) as server:
        with pytest.raises(DataError):
            quick(server.url, path, tries=1)
        server.body = BODY[:500]
        quick(server.url, path)
    assert path.read_bytes() == BODY[:500]


def test_what_came_from_another_address_is_not_mixed_in(path):
    with serving(cuts=[100_000], tag=None) as one, pytest.raises(DataError):
        quick(one.url, path, tries=1)
    with serving(body=BODY[::-1], tag=None) as two:
        quick(two.url, path)
    assert path.read_bytes() == BODY[::-1]
    assert two.asked == [(None, None)]


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"url": 3, "length": "x", "same": null}'])
def test_notes_that_are_damaged_are_passed_over(path, note):
    with serving(cuts=[100_000]) as server:
        with pytest.raises(DataError):
            quick(server.url, path, tries=1)
        path.with_name("data.pkl.part.json").write_text(note)
        assert quick(server.url, path) == SHA
    assert server.asked[1] == (None, None)


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
