"""Checking data: stores and foreign files, plain data, and a page that holds together."""

import json
import pickle
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.readers.base import Source
from ossein.recipes.check import NOT_FINITE, UNREADABLE, check, finding_lines, finding_rows, summary
from ossein.recipes.health import FRAMES, strip
from ossein.skeleton import Skeleton
from ossein.store import write_store
from ossein.store.checks import halves, presence, shape

EVIL = '<script>alert("x")</script>&'
COCO = Skeleton.of("coco-17")
STANDING = np.array(
    [[0, -95], [4, -99], [-4, -99], [9, -96], [-9, -96]]
    + [[side * x, y] for x, y in ([20, -75], [28, -40], [30, -5], [13, 0], [14, 45], [14, 90]) for side in (1, -1)],
    float,
)


def body(n: int, frames: int = 12) -> Clip:
    """Somebody who stands and wanders a little."""
    rng = np.random.default_rng(n)
    x = 200 + STANDING + rng.normal(0, 2, (1, frames, 17, 2)).cumsum(1)
    return Clip(x, np.ones((1, frames, 17)), f"clip {n}", label=n % 2, subject=n % 4, size=(640, 480))


@pytest.fixture
def leaky(tmp_path):
    """A store with evil names, whose test half has a copy of a training clip, a stray joint and a clip of one frame."""
    clips = [body(n) for n in range(8)]
    clips[6] = replace(clips[1], name=EVIL, label=0, subject=2)
    x = clips[3].x.copy()
    x[0, 4, 9] = 9000
    clips[3] = replace(clips[3], x=x, name="'stray' <b>")
    clips[5] = body(5, frames=1)
    splits = {"a_train": tuple(c.name for c in clips[:4]), "a_val": tuple(c.name for c in clips[4:])}
    source = Source(clips=iter(clips), skeleton=COCO, classes=("<i>wave</i>", "bow"), splits=splits)
    return write_store(source, tmp_path / "leaky.clips").path


def write_pickle(path, x, **fields):
    clip = {"frame_dir": "a", "label": 0, "total_frames": x.shape[1], "img_shape": (480, 640), "keypoint": x, **fields}
    path.write_bytes(pickle.dumps([clip]))
    return path


class Page(HTMLParser):
    """A page as its parser sees it: which elements it has, whether they are closed, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_a_store_and_its_page(leaky, tmp_path):
    page, plain = tmp_path / "page.html", tmp_path / "found.json"
    health = check(leaky, json=plain, report=page)
    assert not health.sound
    kinds = {one.kind for one in health.findings}
    assert {halves.IDENTICAL, shape.STRAY, presence.ONE_FRAME} <= kinds

    seen = Page(page.read_text())
    assert seen.open == []
    assert "script" not in seen.tags
    assert seen.tags.count("b") - len(kinds) == 6  # the numbers of cards and tiles: none from the name of a clip
    assert EVIL in seen.words
    assert "'stray' <b>" in seen.words
    assert seen.tags.count("article") == len(health.findings)
    assert seen.tags.count("svg") == sum(min(3, len(one.examples)) for one in health.findings if one.drawn) > 0
    assert "http" not in page.read_text().replace("http-equiv", "")

    data = json.loads(plain.read_text())
    assert (data["data"], data["clips"], data["sound"]) == ("leaky.clips", 8, False)
    assert {one["kind"] for one in data["findings"]} == kinds
    twin = next(one for one in data["findings"] if one["kind"] == halves.IDENTICAL)
    assert (twin["count"], twin["of"], twin["examples"][0]["clip"]) == (1, 4, EVIL)


def test_findings_as_rows_and_lines(leaky):
    health = check(leaky)
    rows, lines = finding_rows(health), finding_lines(health)
    assert len(rows) == len(lines) == len(health.findings)
    assert ("error", halves.IDENTICAL, "1 of 4 test clips of 'a'", f"{EVIL} (the same as 'clip 1')") in rows
    assert all("\n  -> " in line for line in lines)
    assert summary(health).startswith(f"{health.count('error')} error")
    assert "not checked: mirrored clips (2-D clips" in summary(health)


def test_a_foreign_file_is_read_and_leaves_nothing(tmp_path):
    clip = body(1)
    path = write_pickle(tmp_path / "mine.pkl", clip.x, keypoint_score=clip.score)
    assert check(path).sound
    assert [file.name for file in tmp_path.iterdir()] == ["mine.pkl"]


def test_a_store_by_any_name_is_a_store(leaky):
    other = leaky.rename(leaky.with_name("renamed.bin"))
    assert not check(other).sound


def test_numbers_that_are_not_finite_are_the_finding(tmp_path):
    clip = body(1)
    x = clip.x.copy()
    x[0, 3, 4] = np.nan
    path = write_pickle(tmp_path / "mine.pkl", x, keypoint_score=clip.score)
    page = tmp_path / "page.html"
    health = check(path, report=page)
    [found] = health.findings
    assert (found.kind, found.level) == (NOT_FINITE, "error")
    assert "person 0, frame 3, joint 4" in found.means
    assert Page(page.read_text()).open == []


def test_a_file_that_is_cut_short_is_the_finding(tmp_path):
    path = write_pickle(tmp_path / "mine.pkl", body(1).x)
    path.write_bytes(path.read_bytes()[:-40])
    [found] = check(path, format="pyskl").findings
    assert found.kind == UNREADABLE
    assert "mine.pkl" in found.means


def test_two_clips_of_one_name_are_told_of_the_file_itself(tmp_path):
    clip = {"frame_dir": "a", "label": 0, "total_frames": 12, "keypoint": body(1).x, "keypoint_score": body(1).score}
    (tmp_path / "mine.pkl").write_bytes(pickle.dumps([clip, clip]))
    [found] = check(tmp_path / "mine.pkl").findings
    assert found.kind == UNREADABLE
    assert "mine.pkl" in found.means
    assert "ossein-check-" not in found.means


def test_what_is_no_data_is_an_error(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        check(tmp_path / "none.pkl")
    (tmp_path / "note.txt").write_text("nothing")
    with pytest.raises(DataError, match="looks like none of the formats"):
        check(tmp_path / "note.txt")
    x = np.ones((1, 4, 9, 2))
    with pytest.raises(SkeletonError, match="9 joints"):
        check(write_pickle(tmp_path / "mine.pkl", x, keypoint_score=np.ones((1, 4, 9))))


def test_a_strip_shows_the_frames_around_one():
    clip = body(2, frames=40)
    spread, around, end = strip(clip, COCO), strip(clip, COCO, frame=20), strip(clip, COCO, frame=39)
    assert spread.count("<text") == FRAMES
    assert "39" in spread
    assert all(f">{t}</text>" in around for t in range(17, 23))
    assert all(f">{t}</text>" in end for t in range(34, 40))


def test_a_strip_of_one_frame_and_of_nobody():
    assert strip(body(2, frames=1), COCO).count("<text") == 1
    nobody = replace(body(2, frames=3), score=np.zeros((1, 3, 17)))
    assert strip(nobody, COCO).count("nobody") == 3
