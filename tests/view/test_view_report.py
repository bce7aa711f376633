"""Parts of reports: which clips they choose, and that names and numbers are those given."""

import numpy as np
import pytest
from markup import Markup

from ossein.clip import Clip
from ossein.skeleton import Skeleton
from ossein.view import Film, Known, Reel
from ossein.view.report import extreme_sections, map_section, neighbours_section, settings_section

ARM = Skeleton.make("arm", ["base", "elbow", "hand"], [(0, 1), (1, 2)], pairs=[])


def known(labels, z, p=None, prefix="clip"):
    names = [f"{prefix} {i}" for i in range(len(labels))]

    def film(i, caption):
        return Film.of(Clip(np.zeros((1, 2, 3, 2)), np.ones((1, 2, 3)), names[i]), ARM, caption=caption)

    return Known(names, ("a", "b"), np.array(labels), np.asarray(z, float), p, film)


def elements(html, name, class_=""):
    markup = Markup()
    markup.feed(html)
    return markup.all(name, class_)


P = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])


def test_easy_and_hard_clips():
    reel = Reel(ARM)
    hard, easy = extreme_sections(known([0, 1, 1, 0], np.eye(4), P), reel, most=2)
    assert [b.text for b in elements(hard.html(), "b")] == ["clip 2", "clip 3"]
    assert [b.text for b in elements(easy.html(), "b")] == ["clip 0", "clip 1"]
    assert reel.films[0].caption == "b, 30 %; taken for a, 70 %"
    assert len(reel.films) == 4


def test_neighbours_are_the_most_alike():
    test = known([0, 1], [[1, 0, 0], [0, 2, 1]])
    train = known([0, 1, 1], [[0, 1, 0], [0, 4, 2], [3, 0.1, 0]], prefix="train")
    section = neighbours_section(test, train, Reel(ARM), queries=2, most=2)
    rows = [b.text for b in elements(section.body, "b")]
    assert rows == ["clip 0", "train 2", "train 0", "clip 1", "train 1", "train 0"]
    assert "b, cosine 1.00" in section.body


@pytest.mark.parametrize("flat", ["pca", "tsne"])
def test_groups_stay_apart_on_the_map(flat):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 0.1, (24, 8)) + np.repeat([[0.0], [5.0]], 12, 0)
    labels = [0] * 12 + [1] * 12
    section = map_section(known(labels, z, np.repeat([[1.0, 0]], 24, 0)), flat)
    dots = elements(section.body, "circle")
    at = np.array([[float(dot.attributes[key]) for key in ("cx", "cy")] for dot in dots])
    within = max(np.linalg.norm(at[half] - at[half].mean(0), axis=1).max() for half in (slice(12), slice(12, None)))
    assert np.linalg.norm(at[:12].mean(0) - at[12:].mean(0)) > within
    assert ["missed" in dot.attributes.get("class", "") for dot in dots] == [False] * 12 + [True] * 12
    assert dots[12].attributes["data-tip"] == "clip 12: b, taken for a"


@pytest.mark.parametrize("num", [1, 2, 3])
def test_a_map_of_few_clips(num):
    for flat in ("pca", "tsne"):
        section = map_section(known([-1] * num, np.ones((num, 5))), flat)
        assert len(elements(section.body, "circle")) == num


def test_settings_that_differ_stand_out():
    section = settings_section({"a": 1, "b": [1, 2], "c": None}, {"a": 1, "b": [2], "c": 5})
    assert len(elements(section.body, "tr", "marked")) == 2
    assert [cell.text for cell in elements(section.body, "td")] == ["b", "1, 2", "2", "c", "-", "5", "a", "1", ""]
    assert elements(settings_section({"a": 1}, None).body, "tr", "marked") == []
