import numpy as np
import pytest
from matplotlib.image import imread

from ossein.errors import DataError
from ossein.view import Curve, draw_comparison, draw_confusion, draw_curves
from ossein.view.base import BLUE, ORANGE
from ossein.view.charts import _smooth


def darkness(path):
    image = imread(path)[..., :3].mean(2)
    return image.shape[::-1], float((image < 0.45).mean())


@pytest.mark.parametrize(("K", "low", "high"), [(2, 200, 600), (15, 1100, 1600), (60, 1600, 2300)])
def test_a_confusion_is_a_square_picture_of_readable_size(tmp_path, K, low, high):
    counts = np.random.default_rng(0).poisson(0.2, (K, K)) + 9 * np.eye(K, dtype=int)
    draw_confusion(counts, [f"class number {k}" for k in range(K)], tmp_path / "c.png", title="Penn")
    (width, height), _ = darkness(tmp_path / "c.png")
    assert low < width < high
    assert abs(width - height) < 100
    assert (tmp_path / "c.png").stat().st_size < 400_000


def test_darkness_is_the_share_of_the_row(tmp_path):
    names = ["a", "b", "c"]
    draw_confusion(np.diag([100, 1, 0]), names, tmp_path / "right.png")
    draw_confusion(np.ones((3, 3), int) * [[7], [1], [90]], names, tmp_path / "even.png")
    draw_confusion(np.zeros((3, 3), int), names, tmp_path / "empty.png")
    right, even, empty = (darkness(tmp_path / f"{name}.png")[1] for name in ("right", "even", "empty"))
    # Two of nine cells are full in the first, however many clips their classes have; a third of a row is light.
    assert right - empty > 0.05
    assert even - empty < 0.02


def test_odd_class_names_are_text(tmp_path):
    draw_confusion(np.eye(2, dtype=int), ["$x^{", "a" * 80], tmp_path / "c.png", title="$_{")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (2,)])
def test_bad_confusions_are_refused(tmp_path, shape):
    with pytest.raises(DataError, match=r"\[K K\]"):
        draw_confusion(np.zeros(shape, int), ["a", "b"], tmp_path / "c.png")
    assert not list(tmp_path.iterdir())


def test_a_curve_shows_its_moving_mean(tmp_path):
    log = [{"step": i, "loss": 1 / (1 + i), "note": "x"} for i in range(200)]
    log[7]["loss"] = float("nan")
    draw_curves([*log, {"step": 200, "accuracy": 0.9}], tmp_path / "loss.png", title="pre-training")
    image = (imread(tmp_path / "loss.png")[..., :3] * 255).round().astype(int)
    assert image.shape == (540, 1200, 3)
    assert (image == [int(BLUE[i : i + 2], 16) for i in (1, 3, 5)]).all(2).sum() > 500


def test_a_curve_of_one_point_is_no_error(tmp_path):
    draw_curves([{"loss": 2.0}], tmp_path / "loss.png")
    draw_curves([{"step": 0, "top1": 0.5}, {"step": 1, "top1": 0.7}], tmp_path / "top1.png", key="top1")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_log_without_the_key_is_refused(tmp_path):
    with pytest.raises(DataError, match="the log has no 'loss' in 1 record"):
        draw_curves([{"step": 1, "lr": 0.1}], tmp_path / "loss.png")
    assert not list(tmp_path.iterdir())


def test_the_moving_mean_is_the_slow_one():
    value = np.random.default_rng(0).normal(size=130)
    value[[0, 50, 51, 129]] = np.nan
    reach = 130 // 40
    slow = [np.nanmean(value[max(0, i - reach) : i + reach + 1]) for i in range(130)]
    np.testing.assert_allclose(_smooth(value), slow)
    assert _smooth(np.array([1.0, np.nan, 3.0]))[1] != 2  # a gap in a short log stays a gap


def count(path, colour):
    image = (imread(path)[..., :3] * 255).round().astype(int)
    return int((image == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(2).sum())


def compared(tmp_path, std=1.0, joined=True, panels=("ours", "paper")):
    at, nan = ("one", "two", "three $x^{"), float("nan")
    curves = [Curve("GIN", at, (60.0, nan, 62.0), (std, nan, std)), Curve("GCN", at, (50.0, 51.0, 52.0), (nan,) * 3)]
    path = tmp_path / "c.png"
    draw_comparison(dict.fromkeys(panels, curves), path, axis="layers", unit="top-1, %", title="$_{", joined=joined)
    return path


def test_a_comparison_has_a_panel_for_each_source(tmp_path):
    widths = {num: imread(compared(tmp_path, panels=["ours", "paper"][:num])).shape[1] for num in (1, 2)}
    assert widths[2] == 2 * widths[1]
    assert min(count(tmp_path / "c.png", colour) for colour in (BLUE, ORANGE)) > 100


def test_more_than_three_panels_go_into_rows(tmp_path):
    three, four = (imread(compared(tmp_path, panels="abcd"[:num])).shape[:2] for num in (3, 4))
    assert four == (2 * three[0], three[1])


def test_a_comparison_from_zero_shows_small_changes_small(tmp_path):
    curves, heights = [Curve("GIN", ("one", "two"), (10.0, 11.0), (float("nan"),) * 2)], []
    for from_zero in (False, True):
        draw_comparison({"ours": curves}, tmp_path / "c.png", axis="x", unit="y", from_zero=from_zero)
        image = (imread(tmp_path / "c.png")[..., :3] * 255).round().astype(int)
        heights.append(np.ptp(np.nonzero((image == [int(BLUE[i : i + 2], 16) for i in (1, 3, 5)]).all(2))[0]))
    assert heights[1] < heights[0] / 4


def test_a_comparison_shows_the_spread_and_joins_what_has_an_order(tmp_path):
    wide, none = count(compared(tmp_path, std=20.0), BLUE), count(compared(tmp_path, std=float("nan")), BLUE)
    assert wide > none + 300
    lines, marks = (count(compared(tmp_path, joined=joined), ORANGE) for joined in (True, False))
    assert lines > marks + 300


@pytest.mark.parametrize(
    "panels", [{}, {"ours": []}, {"ours": [Curve(str(i), ("a",), (1.0,), (0.0,)) for i in range(5)]}]
)
def test_a_comparison_of_nothing_or_too_much_is_refused(tmp_path, panels):
    with pytest.raises(DataError, match="curves to compare, expected 1 to 4"):
        draw_comparison(panels, tmp_path / "c.png", axis="x", unit="y")
    assert not list(tmp_path.iterdir())
