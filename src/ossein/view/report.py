"""The parts of a run's report: what its clips look like to the model, which are hard, and what was set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ossein.evaluate.base import unit_length
from ossein.skeleton import Skeleton
from ossein.view.draw import Rebuilt
from ossein.view.figures import scatter
from ossein.view.page import Html, Section, join, table, tag
from ossein.view.player import Film, Panel, Reel

Flat = Literal["pca", "tsne"]
"""How features are brought to two dimensions."""


@dataclass(frozen=True, eq=False)
class Known:
    """Clips as a model knows them.

    Args:
        names: Of the clips, N of them.
        classes: Class names.
        labels: The class of each clip, -1 where it is not known, [N].
        z: Features, [N D].
        p: Class probabilities, [N K]; None for a model that names no classes.
        film: The film of a clip by its place, with a caption.
    """

    names: Sequence[str]
    classes: Sequence[str]
    labels: np.ndarray
    z: np.ndarray
    p: np.ndarray | None
    film: Callable[[int, str], Film]

    @property
    def sure(self) -> np.ndarray:
        """The probability of the true class, [N]; needs `p`."""
        assert self.p is not None
        return self.p[np.arange(len(self.labels)), self.labels]

    def label(self, i: int) -> str:
        """The class of a clip in words."""
        return self.classes[int(self.labels[i])] if self.labels[i] >= 0 else "no label"


def map_section(known: Known, flat: Flat) -> Section:
    """Where the features of clips lie, brought to a plane.

    Args:
        known: The clips.
        flat: `pca` takes the two directions of most variance; `tsne` keeps neighbours together (van der Maaten and
            Hinton 2008), and its distances between groups mean nothing.
    """
    places, note = _tsne(known.z) if flat == "tsne" else _pca(known.z)
    missed = np.zeros(len(known.labels), bool)
    tips = [f"{name}: {known.label(i)}" for i, name in enumerate(known.names)]
    if known.p is not None:
        taken = known.p.argmax(1)
        missed = taken != known.labels
        tips = [tip + f", taken for {known.classes[taken[i]]}" * bool(missed[i]) for i, tip in enumerate(tips)]
        note += " Ringed: taken for another class."
    return Section("Map of features", scatter(places, known.labels, known.classes, tips, missed), note)


def extreme_sections(known: Known, reel: Reel, most: int = 6) -> list[Section]:
    """The clips whose class the model is surest and least sure of; of the easy ones, one a class."""
    order = np.argsort(-known.sure, kind="stable")
    first = [int(order[at]) for at in sorted(np.unique(known.labels[order], return_index=True)[1])]
    return [
        Section("Hardest clips", _row(known, reel, order[::-1][:most]), "Least probability for their class."),
        Section(
            "Easiest clips", _row(known, reel, first[:most]), "Most probability for their class; one of each class."
        ),
    ]


def neighbours_section(known: Known, others: Known, reel: Reel, queries: int = 5, most: int = 4) -> Section:
    """For some clips those among others whose features are most alike, by cosine.

    Args:
        known: Where the queries are; they are spread evenly from the easiest to the hardest.
        others: Where neighbours are looked for.
        reel: The films of the page.
        queries: How many clips.
        most: How many neighbours of each.
    """
    order = np.arange(len(known.names)) if known.p is None else np.argsort(-known.sure, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, queries).round().astype(int))]
    alike = unit_length(known.z[chosen]) @ unit_length(others.z).T
    rows = []
    for i, near in zip(chosen.tolist(), alike, strict=True):
        nearest = np.argsort(-near, kind="stable")[:most].tolist()
        beside = [reel.add(others.film(j, f"{others.label(j)}, cosine {near[j]:.2f}"), small=True) for j in nearest]
        rows.append(tag("div", reel.add(known.film(i, _said(known, i)), small=True), *beside, class_="row query"))
    return Section(
        "Nearest neighbours", join(rows), "Left of each row a test clip, then the training clips most like it."
    )


def rebuilt_film(example: Rebuilt, skeleton: Skeleton) -> Film:
    """What a model saw, what it filled in, and what was hidden, side by side in motion."""
    seen, hidden = example.seen[None], example.hidden[None].astype(float)
    parts = (("given", example.x), ("rebuilt", example.filled), ("true", example.x))
    looks: tuple[Literal["given", "rebuilt", "true"], ...] = ("given", "rebuilt", "true")
    panels = tuple(
        Panel(np.where(seen[..., None], x, 0), seen, title, look, hidden) for (title, x), look in zip(parts, looks)
    )
    return Film(panels, skeleton, example.caption, rate=_SLOW)


_SLOW = 12.0
"""Frames per second of what a model sees, which are fewer than those of the clip."""


def settings_section(settings: Mapping[str, Any], preset: Mapping[str, Any] | None, note: str = "") -> Section:
    """Every setting; those that differ from the preset's stand out and come first.

    Args:
        settings: By dotted path.
        preset: What the preset says; None where that is not known.
        note: What to say of the comparison.
    """
    other = {key for key in settings if preset is not None and preset.get(key) != settings[key]}
    keys = sorted(settings, key=lambda key: key not in other)
    rows = [
        (tag("code", key), say(settings[key]), say((preset or {}).get(key)) if key in other else "") for key in keys
    ]
    heads = ("setting", "value", "the preset has") if preset is not None else ("setting", "value", "")
    return Section("Settings", table(heads, rows, marked=range(len(other))), note)


def facts_section(title: str, rows: Sequence[tuple[str, str]], note: str = "") -> Section:
    """Names and what they are, as a table."""
    return Section(title, table((), [(tag("span", name), tag("span", value)) for name, value in rows]), note)


def say(value: Any) -> str:
    """A setting in words.

    >>> say([1, None]), say(None), say(1e-4)
    ('1, -', '-', '0.0001')
    """
    if isinstance(value, list | tuple):
        return ", ".join(map(say, value)) or "-"
    return "-" if value is None else str(value)


def _row(known: Known, reel: Reel, clips: Sequence[int] | np.ndarray) -> Html:
    return tag("div", *(reel.add(known.film(int(i), _said(known, int(i))), small=True) for i in clips), class_="row")


def _said(known: Known, i: int) -> str:
    if known.p is None or known.labels[i] < 0:
        return known.label(i)
    best = int(known.p[i].argmax())
    told = f"{known.label(i)}, {100 * known.sure[i]:.0f} %"
    return (
        told if best == known.labels[i] else f"{told}; taken for {known.classes[best]}, {100 * known.p[i, best]:.0f} %"
    )


def _pca(z: np.ndarray) -> tuple[np.ndarray, str]:
    centred = z.astype(np.float64) - z.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(z), 2))
    places[:, : min(2, len(s))] = (u * s)[:, :2]
    share = s[:2] ** 2 / max(float((s**2).sum()), 1e-12)
    return (
        places,
        f"Principal components 1 and 2, with {100 * share.sum():.0f} % of the variance of {z.shape[1]} features.",
    )


def _tsne(z: np.ndarray) -> tuple[np.ndarray, str]:
    from sklearn.manifold import TSNE

    if len(z) < 4:
        return _pca(z)
    near = min(30.0, (len(z) - 1) / 3)
    places = TSNE(perplexity=near, init="pca", random_state=0).fit_transform(z.astype(np.float64))
    return np.asarray(
        places
    ), f"t-SNE with perplexity {near:.0f}: neighbours are kept, distances between groups mean nothing."
