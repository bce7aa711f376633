"""Players: their data decode to the clips they were made of, byte by byte as the program in the page does it."""

from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markup import read

from ossein.clip import Clip
from ossein.errors import DataError, SkeletonError
from ossein.skeleton import Skeleton
from ossein.view import Film, Panel, Rebuilt, Reel, rebuilt_film, write_player

COCO, NTU = Skeleton.of("coco-17"), Skeleton.of("ntu-25")
ARM = Skeleton.make("arm", ["base", "elbow", "hand"], [(0, 1), (1, 2)], pairs=[])


def numbers(text, shape):
    """The slow way: one number after the other."""
    data, out, k = b64decode(text), np.zeros(shape, int), 0
    for m, t, *rest in np.ndindex(shape):
        code = data[k]
        k += 1
        if code > 127:
            code = (code & 127) + 128 * data[k]
            k += 1
        change = code // 2 if code % 2 == 0 else -(code + 1) // 2
        out[(m, t, *rest)] = change + (out[(m, t - 1, *rest)] if t else 0)
    assert k == len(data)
    return out


def decoded(film, number=0):
    """Coordinates, which joints are there, and levels."""
    M, T, V, C = (film[key] for key in "MTVC")
    panel = film["panels"][number]
    x = np.array(film["low"]) + film["step"] * numbers(panel["x"], (M, T, V, C))
    seen = np.unpackbits(np.frombuffer(b64decode(panel["seen"]), np.uint8))[: M * T * V].reshape(M, T, V) > 0
    level = None if panel["level"] is None else numbers(panel["level"], (M, T, V)) / 127
    return x, seen, level


def walk(shape, seed=0, gaps=0.2):
    """A clip of random walks with gaps."""
    rng = np.random.default_rng(seed)
    x = 100 * rng.normal(size=(shape[0], 1, *shape[2:])) + rng.normal(size=shape).cumsum(1)
    return Clip(x, rng.random(shape[:3]) * (rng.random(shape[:3]) >= gaps), "a walk")


@settings(max_examples=25, deadline=None)
@given(
    persons=st.integers(1, 3),
    frames=st.integers(1, 9),
    dims=st.sampled_from([2, 3]),
    gaps=st.sampled_from([0, 0.3, 0.9, 1]),
    seed=st.integers(0, 9),
)
def test_data_decode_to_the_clip(persons, frames, dims, gaps, seed):
    clip = walk((persons, frames, 3, dims), seed, gaps)
    plain = Film.of(clip, ARM).plain()
    x, seen, _ = decoded(plain)
    there = (clip.score > 0).any((1, 2)) if (clip.score > 0).any() else np.arange(persons) == 0
    np.testing.assert_array_equal(seen, clip.score[there] > 0)
    true = clip.x[there][seen]
    # Coordinates come as float32.
    reach = np.ptp(true, axis=0).max() if len(true) else 1
    assert plain["step"] <= max(reach, 1e-9) / 4095 * 1.001
    np.testing.assert_allclose(x[seen], true, atol=plain["step"] / 2 + 1e-4)
    assert plain["whole"] == frames


def test_where_to_look_from():
    clip = walk((1, 20, 25, 3))
    plain = Film.of(clip, NTU).plain()
    axes = np.array(plain["axes"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    flat = (clip.x[0] - plain["middle"]) @ axes.T
    inside = (np.abs(flat[..., :2]) <= 1.001 * np.array(plain["half"])).all(-1)
    assert inside[clip.score[0] > 0].mean() > 0.95


def test_one_wild_joint_does_not_make_the_body_small():
    x = np.random.default_rng(0).uniform(0, 10, (1, 40, 17, 2))
    x[0, 3, 5] = 1e5
    assert max(Film.of(Clip(x, np.ones((1, 40, 17))), COCO).plain()["half"]) < 10


def test_fewer_frames_in_the_same_time():
    clip = walk((1, 100, 3, 2))
    whole = Film.of(clip, ARM)
    thin = Film.of(clip, ARM, most=11)
    assert thin.at == (0, 10, 20, 30, 40, 50, 59, 69, 79, 89, 99)
    np.testing.assert_array_equal(thin.panels[0].x, clip.x[:, list(thin.at)])
    assert 100 / whole.rate == pytest.approx(11 / thin.rate)
    assert Film.of(clip, ARM, most=100).at is None


def test_a_clip_takes_tens_of_kilobytes(tmp_path):
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(0, 0.01, (2, 300, 25, 3)), 1) + rng.normal(size=(2, 1, 25, 3))
    write_player(Film.of(Clip(x, np.ones((2, 300, 25)), "two in a room"), NTU), tmp_path / "p.html")
    assert (tmp_path / "p.html").stat().st_size < 100_000
    markup = read((tmp_path / "p.html").read_text())
    assert [h.text for h in markup.all("h1")] == ["two in a room"]
    assert {"person 1", "person 2", "left", "right"} <= {span.text for span in markup.all("span")}
    assert [(len(markup.all(name))) for name in ("canvas", "button", "select")] == [1, 1, 1]


def test_hidden_joints_in_three_panels():
    rng = np.random.default_rng(0)
    x, hidden = rng.normal(size=(6, 3, 2)), rng.random((6, 3)) < 0.5
    score = np.ones((6, 3))
    score[2] = 0
    filled = np.where(score[..., None] > 0, x + 1, np.nan)
    film = rebuilt_film(Rebuilt(x, filled, hidden, score, "lift"), ARM).plain()
    truth = {"given": x, "rebuilt": np.where(hidden[..., None], x + 1, x), "true": x}
    assert [panel["look"] for panel in film["panels"]] == list(truth)
    for number, true in enumerate(truth.values()):
        at, seen, level = decoded(film, number)
        np.testing.assert_array_equal(seen[0], score > 0)
        np.testing.assert_allclose(at[0][seen[0]], true[seen[0]], atol=film["step"])
        np.testing.assert_array_equal(level[0], hidden)


def test_several_films_on_a_page(tmp_path):
    films = [Film.of(walk((1, 4, 3, 2), seed), ARM, caption="<i>") for seed in (0, 1)]
    write_player(films, tmp_path / "p.html", title="both")
    markup = read((tmp_path / "p.html").read_text())
    assert markup.reel["skeleton"] == {"bones": [[0, 1], [1, 2]], "side": [0, 0, 0]}
    for film, plain in zip(films, markup.reel["films"], strict=True):
        np.testing.assert_allclose(decoded(plain)[0], decoded(film.plain())[0])
    assert [one.attributes["data-film"] for one in markup.all("div", "player")] == ["0", "1"]
    assert "left" not in {span.text for span in markup.all("span")}
    assert "<i>" in {note.text for note in markup.all("p")}


def test_small_players_have_no_controls():
    reel = Reel(COCO)
    html = reel.add(Film.of(walk((1, 4, 17, 2)), COCO, caption="squat"), small=True)
    assert "controls" not in html
    assert reel.films[0].caption == "squat"


def test_what_cannot_be_shown(tmp_path):
    with pytest.raises(SkeletonError, match="3 joints, expected 17"):
        Film.of(walk((1, 4, 3, 2)), COCO)
    with pytest.raises(DataError, match="there is no film"):
        write_player([], tmp_path / "p.html")
    with pytest.raises(DataError, match="expected"):
        Film((Panel(np.zeros((1, 2, 3, 2)), np.ones((1, 2, 3), bool), level=np.zeros((1, 2, 4))),), ARM)
    with pytest.raises(DataError, match="not finite"):
        Film((Panel(np.full((1, 2, 3, 2), np.nan), np.ones((1, 2, 3), bool)),), ARM)
    assert not list(tmp_path.iterdir())
