"""Animations: as many frames as the clip, at its own speed, and nothing where nothing is."""

import numpy as np
import pytest
from PIL import Image

from ossein.clip import Clip
from ossein.errors import DataError, SettingsError
from ossein.skeleton import Skeleton
from ossein.view import draw_animation

ARM = Skeleton.make("arm", ["base", "elbow", "hand"], [(0, 1), (1, 2)], pairs=[])


def arm(frames, persons=1, dims=2, rate=None):
    """An arm that turns about its base."""
    angle = np.linspace(0, 2, frames)
    x = np.zeros((persons, frames, 3, dims))
    for v in (1, 2):
        x[..., v, 0], x[..., v, 1] = v * np.sin(angle), v * np.cos(angle)
    x[..., 0] += 5 * np.arange(persons)[:, None, None]
    return Clip(x, np.ones(x.shape[:3]), "an arm $ ^ ü 臂", rate=rate)


def pictures(path):
    with Image.open(path) as gif:
        times = []
        frames = []
        for number in range(getattr(gif, "n_frames", 1)):
            gif.seek(number)
            times.append(gif.info.get("duration", 0))
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
        return frames, times


def ink(picture, top=30, bottom=-30):
    """Pixels that are drawn on, words left out."""
    return int((picture[top:bottom].sum(2) < 3 * 235).sum())


def test_every_frame_at_the_speed_of_the_clip(tmp_path):
    draw_animation(arm(12, rate=20), ARM, tmp_path / "a.gif")
    frames, times = pictures(tmp_path / "a.gif")
    assert len(frames) == 12
    assert set(times) == {50}
    assert all(ink(frame) > 100 for frame in frames)
    assert (frames[0][30:-30] != frames[-1][30:-30]).any()
    assert (tmp_path / "a.gif").stat().st_size < 60_000


def test_what_is_too_fast_is_thinned_in_the_same_time(tmp_path):
    draw_animation(arm(24, rate=120), ARM, tmp_path / "a.gif")
    frames, times = pictures(tmp_path / "a.gif")
    assert len(frames) == 10
    assert sum(times) == 200
    draw_animation(arm(50, rate=25), ARM, tmp_path / "b.gif", most=5)
    assert sum(pictures(tmp_path / "b.gif")[1]) == 2000


@pytest.mark.parametrize(("persons", "dims", "frames"), [(1, 2, 1), (2, 3, 2), (1, 3, 1)])
def test_odd_clips(tmp_path, persons, dims, frames):
    draw_animation(arm(frames, persons, dims), ARM, tmp_path / "a.gif")
    found = pictures(tmp_path / "a.gif")[0]
    assert len(found) == frames
    assert ink(found[0]) > 100


def test_who_is_absent_is_not_drawn(tmp_path):
    clip = arm(3)
    score = np.ones((1, 3, 3))
    score[:, 1] = 0
    draw_animation(Clip(clip.x, score, "gap"), ARM, tmp_path / "a.gif")
    drawn = [ink(frame) for frame in pictures(tmp_path / "a.gif")[0]]
    assert drawn[1] == 0 < min(drawn[0], drawn[2])
    draw_animation(Clip(clip.x, np.zeros((1, 3, 3)), "nobody"), ARM, tmp_path / "b.gif")
    assert [ink(frame) for frame in pictures(tmp_path / "b.gif")[0]] == [0, 0, 0]


def test_bad_requests_leave_no_file(tmp_path):
    with pytest.raises(SettingsError, match="1 or more"):
        draw_animation(arm(3), ARM, tmp_path / "a.gif", most=0)
    with pytest.raises(SettingsError, match="32 or more"):
        draw_animation(arm(3), ARM, tmp_path / "a.gif", width=5)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        draw_animation(arm(3), ARM, tmp_path / "file" / "a.gif")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
