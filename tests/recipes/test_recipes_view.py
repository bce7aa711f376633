"""Pictures through the command line: stores and foreign files, clips by name and number, wrong calls."""

import numpy as np
import pytest
from markup import read
from PIL import Image

from ossein.recipes.view import saliency


@pytest.mark.parametrize("word", ["3", "clip 3"])
def test_a_clip_of_a_store(cli, fixed_store, tmp_path, word):
    for ending in ("png", "gif", "html"):
        done = cli("view", "clip", fixed_store.path, "--clip", word, "--out", f"c.{ending}")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("clip 3: c.")
    with Image.open(tmp_path / "c.gif") as gif:
        assert gif.n_frames == fixed_store.frames[3]  # pyright: ignore[reportAttributeAccessIssue]
    markup = read((tmp_path / "c.html").read_text())
    assert markup.all("h1")[0].text == "clip 3"
    assert markup.all("p", "note")[0].text.startswith("jump, coco-17, 2-D")
    film = markup.reel["films"][0]
    assert (film["M"], film["T"]) == ((fixed_store.clip(3).score > 0).any((1, 2)).sum(), fixed_store.frames[3])


def test_a_clip_of_a_table(cli, tmp_path):
    rows = [f"{name},{t},{joint},{t},{v}" for name in "ab" for t in range(3) for v, joint in enumerate(("hip", "knee"))]
    (tmp_path / "mine.csv").write_text("clip,frame,joint,x,y\n" + "\n".join(rows))
    (tmp_path / "leg.yaml").write_text("joints: [hip, knee]\nbones: [[hip, knee]]")
    words = ("view", "clip", "mine.csv", "--skeleton", "leg.yaml", "--clip")
    assert cli(*words, "b", "--out", "b.html").code == 0
    assert "b" in read((tmp_path / "b.html").read_text()).all("h1")[0].text
    assert "no clip is called 'c'" in cli(*words, "c", "--out", "c.png").err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.html", "leg.yaml", "mine.csv"]


def test_hidden_joints_rebuilt(cli, fixed_store, pretrained_run, tmp_path):
    for ending in ("png", "html"):
        done = cli("view", "rebuilt", pretrained_run, fixed_store.path, "--clip", "clip 14", 15, "--out", f"r.{ending}")
        assert (done.code, done.err) == (0, "")
    markup = read((tmp_path / "r.html").read_text())
    assert [h.text for h in markup.all("h3")] == [fixed_store.classes[fixed_store.labels[i]] for i in (14, 15)]
    assert [panel["look"] for panel in markup.reel["films"][0]["panels"]] == ["given", "rebuilt", "true"]


def test_what_an_answer_rests_on(cli, fixed_store, recogniser_run, tmp_path):
    for ending, more in (("png", ()), ("html", ("--by", "part", "--of", "run"))):
        done = cli("view", "saliency", recogniser_run, fixed_store.path, "--clip", 13, "--out", f"s.{ending}", *more)
        assert (done.code, done.err) == (0, "")
    assert any("run, " in note.text for note in read((tmp_path / "s.html").read_text()).all("p", "note"))
    found = saliency(recogniser_run, fixed_store, 13)
    assert found.drop.shape == found.seen.shape
    assert np.abs(found.drop).max() > 0
    assert 0 <= min(found.at) <= max(found.at) < fixed_store.frames[13]


def test_wrong_calls_leave_no_file(cli, fixed_store, synthetic_store, pretrained_run, recogniser_run, tmp_path):
    solid = synthetic_store(dims=3).path
    store = fixed_store.path
    for words, told in (
        (("clip", store, "--out", "c.jpg"), "Let --out end in .png or .gif or .html"),
        (("clip", store, "--clip", "clip99", "--out", "c.png"), "no clip is called 'clip99'"),
        (("clip", store, "--clip", 99, "--out", "c.png"), "there is no clip 99"),
        (("clip", store, "--frames", 0, "--out", "c.png"), "0 frames to show"),
        (("clip", "nowhere.clips", "--out", "c.png"), "nowhere.clips"),
        (("rebuilt", recogniser_run, store, "--out", "r.png"), "expected a pre-trained encoder"),
        (("rebuilt", pretrained_run, solid, "--out", "r.png"), "in 3-D. Use a store with the same joints"),
        (("rebuilt", pretrained_run, store, "--out", "r.gif"), "end in .png or .html"),
        (("saliency", pretrained_run, store, "--out", "s.png"), "holds a pre-trained encoder"),
        (("saliency", recogniser_run, solid, "--out", "s.png"), "in 3-D"),
        (("saliency", recogniser_run, store, "--of", "runs", "--out", "s.png"), "Did you mean 'run'?"),
    ):
        done = cli("view", *words)
        assert done.code == 1, words
        assert told in done.err, words
    assert cli("view", "clop", store).code == 2
    assert list(tmp_path.iterdir()) == []
