"""Figures of pages: the numbers that are drawn are those that were given."""

import numpy as np
import pytest
from markup import Markup

from ossein.errors import DataError
from ossein.evaluate import wilson
from ossein.view.figures import Bar, bars, confusion, curves, heat, scatter


def elements(html, name, class_=""):
    markup = Markup()
    markup.feed(html)
    markup.close()
    assert not markup.open
    return markup.all(name, class_)


def test_every_cell_of_a_confusion():
    counts = np.array([[3, 1, 0], [0, 0, 0], [2, 0, 5]])
    names = ("<script>", "b & b", "c")
    html = confusion(counts, names)
    tips = [cell.attributes["data-tip"] for cell in elements(html, "rect") if "data-tip" in cell.attributes]
    assert tips == [
        "<script> recognised: 3 of 4",
        "<script> taken for b & b: 1 of 4",
        "c taken for <script>: 2 of 7",
        "c recognised: 5 of 7",
    ]
    assert [float(cell.attributes["fill-opacity"]) for cell in elements(html, "rect", "wrong")] == [0.34, 0.37]
    assert "<script>" in {text.text for text in elements(html, "text")}
    with pytest.raises(DataError, match="2 class names"):
        confusion(counts, names[:2])


@pytest.mark.parametrize("names", [["a"], ["squat", "wave"], [f"class {k}" for k in range(18)], ["x"] * 40])
def test_the_name_of_the_axis_is_on_the_drawing_and_below_the_names_of_classes(names):
    html = confusion(np.eye(len(names), dtype=int), names)
    wide, high = map(float, elements(html, "svg")[0].attributes["viewbox"].split()[2:])
    (words,) = [text for text in elements(html, "text") if text.text == "recognised as"]
    x, y = (float(words.attributes[at]) for at in "xy")
    assert x + 6.4 * len(words.text) - 4 <= wide
    assert y + 4 <= high
    columns = [text for text in elements(html, "text") if "transform" in text.attributes]
    ends = [float(text.attributes["transform"].split()[1][:-1]) + 6.4 * len(text.text) for text in columns]
    assert y - 11 >= max(ends, default=0)


def test_many_classes_stay_small():
    rng = np.random.default_rng(0)
    counts = np.zeros((120, 120), int)
    np.add.at(counts, (rng.integers(0, 120, 1000), rng.integers(0, 120, 1000)), 1)
    html = confusion(counts, [f"class number {k}" for k in range(120)])
    assert len(html) < 250_000
    assert len(elements(html, "rect")) == (counts > 0).sum() + 1


def test_bars_are_recalls_with_intervals():
    html = bars([Bar("good", 9, 10), Bar("none", 0, 0), Bar("bad <b>", 0.5, 2)])
    assert [name.text for name in elements(html, "span", "name")] == ["bad <b>", "good"]
    assert [value.text for value in elements(html, "span", "value")] == ["25.0 %", "90.0 %"]
    low, high = wilson(9, 10)
    style = elements(html, "u")[1].attributes["style"]
    assert style == f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"
    assert "width:90.0%" in elements(html, "i")[1].attributes["style"]


def points(line):
    return np.array([pair.split(",") for pair in line.attributes["points"].split()], float)


def test_curves_of_one_run_and_of_several():
    log = [{"step": k, "epoch": k / 2, "loss": float(10 - k), "lr": 0.1} for k in range(1, 6)]
    html = curves({"a": log})
    assert [figure.text[:4] for figure in elements(html, "figure")] == ["loss", "lr 0"]
    raw = points(elements(html, "polyline", "raw")[0])
    assert len(raw) == 5
    assert (np.diff(raw[:, 0]) > 0).all()
    assert (np.diff(raw[:, 1]) > 0).all()  # a falling loss, and y points down
    assert raw[0] == pytest.approx([6, 10])
    assert raw[-1] == pytest.approx([306, 120])
    both = curves({"a": log, "b <": log[:3]})
    assert [line.attributes["data-tip"] for line in elements(both, "polyline", "of")] == ["a", "b <"] * 2
    assert "6 in the mean" in both  # 5 and 7


def test_curves_that_are_odd():
    long = [{"step": k, "loss": np.sin(k / 50)} for k in range(5000)]
    assert len(points(elements(curves({"a": long}), "polyline", "raw")[0])) == 240
    odd = [{"step": 1, "loss": float("nan")}, {"step": 2, "loss": 3.0, "extra": None}]
    html = curves({"a": odd})
    assert len(points(elements(html, "polyline", "raw")[0])) == 1
    assert "extra: no finite value" in html
    assert elements(curves({}), "figure") == []


def test_a_map_shows_every_clip():
    places = np.array([[0.0, 0], [1, 1], [2, 4]])
    html = scatter(
        places, np.array([0, -1, 1]), ("a", "<b>"), ["one", "two", "<three>"], np.array([False, False, True])
    )
    dots = elements(html, "circle")
    assert [dot.attributes["data-tip"] for dot in dots] == ["one", "two", "<three>"]
    assert [dot.attributes["data-k"] for dot in dots] == ["0", "-1", "1"]
    assert ["missed" in dot.attributes.get("class", "") for dot in dots] == [False, False, True]
    x, y = ([float(dot.attributes[key]) for dot in dots] for key in ("cx", "cy"))
    assert x == sorted(x)
    assert y == sorted(y, reverse=True)
    assert [option.text for option in elements(html, "option")] == ["all classes", "a", "<b>"]


def test_heat_is_signed():
    cells = elements(heat(np.array([[1.0, 0.0], [-0.5, 0.004]]), ("hip", "knee")), "rect")
    assert [(c.attributes["fill"], c.attributes["fill-opacity"]) for c in cells[:-1]] == [
        ("var(--orange)", "1.00"),
        ("var(--blue)", "0.50"),
    ]
