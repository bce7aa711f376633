"""Fetching a file from servers that are well, that cut off, and whose file becomes another one."""

import time

import numpy as np
import pytest
from servers import BODY, SHA, left, quick, serving

from ossein.errors import DataError
from ossein.store import fetch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "data.pkl"


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
