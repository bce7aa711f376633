"""What is wrong with what is said of clips: classes, labels, frame rates, and clips that are there twice."""

from collections.abc import Iterator

import numpy as np

from ossein.store.checks.base import MOST_EXAMPLES, Example, Finding, Look, Result, Skipped
from ossein.words import count

EMPTY = "classes without a clip"
UNEVEN = "classes of very different sizes"
UNLABELLED = "clips without a label"
CONTRARY = "identical clips with different labels"
TWICE = "clips that are there twice"
RATES = "frame rates that differ"

LOPSIDED = 10
"""How many times as many clips the largest class may have as the smallest."""

_OFF_RATE = 0.05


def empty(look: Look) -> Iterator[Result]:
    """Classes that no clip has."""
    counts = np.bincount(look.store.labels[look.store.labels >= 0], minlength=len(look.store.classes))
    if not counts.any():
        yield Skipped(EMPTY, "no clip has a label")
        return
    none = np.flatnonzero(counts == 0)
    if len(none):
        shown = tuple(Example(look.store.classes[k], f"number {k}") for k in none[:MOST_EXAMPLES])
        means = "Labels skip their numbers; a model gives them answers that are never right."
        help = "Number the labels without gaps, or see whether clips are missing."
        yield Finding(EMPTY, "warning", len(none), len(counts), "class", means, help, shown)
    some = np.flatnonzero(counts)
    few, many = some[counts[some].argmin()], some[counts[some].argmax()]
    if counts[many] > LOPSIDED * counts[few]:
        rare = some[counts[some] * LOPSIDED < counts[many]]
        shown = tuple(
            Example(look.store.classes[k], count(counts[k], "clip"))
            for k in (many, *rare[np.argsort(counts[rare])][:4])
        )
        means = "They have less than a tenth of the clips of the largest class, so that accuracy says little of them."
        help = "Report the mean over classes too, and draw few labels by class."
        yield Finding(UNEVEN, "note", len(rare), len(some), "class", means, help, shown)


def unlabelled(look: Look) -> Iterator[Result]:
    """Clips that may be learned from, but teach and test no class."""
    clips = np.flatnonzero(look.store.labels < 0)
    if len(clips):
        means = "They serve pre-training; recognition and tests leave them out."
        help = "Nothing, if that is meant; otherwise see how the format says labels."
        shown = look.examples(clips)
        yield Finding(UNLABELLED, "note", len(clips), len(look.store), "clip", means, help, shown)


def twice(look: Look) -> Iterator[Result]:
    """Clips with an identical twin anywhere, and those whose twin has another label."""
    store = look.store
    _, which, copies = np.unique(store.digests, return_inverse=True, return_counts=True)
    alike = np.flatnonzero(copies[which] > 1)  # a shortcut: few clips are left to compare
    twins = {i: j for i, j in store.identical(alike, alike) if j < i}
    if not twins:
        return
    says = {i: f"the same as '{store.names[j]}'" for i, j in twins.items()}
    means = "Copies count twice in training and in every mean."
    help = "Leave the copies out, or keep all of a kind in one half of every split."
    shown = look.examples(twins, says.__getitem__)
    yield Finding(TWICE, "note", len(twins), len(store), "clip", means, help, shown)
    contrary = [i for i, j in twins.items() if store.labels[i] != store.labels[j] and store.labels[[i, j]].min() >= 0]
    if contrary:
        of = {
            i: f"{says[i]}, '{store.classes[store.labels[i]]}' and '{store.classes[store.labels[twins[i]]]}'"
            for i in contrary
        }
        means = "One of the two labels is wrong, and no model can tell such clips apart."
        help = "See which label is right, or leave both clips out."
        shown = look.examples(contrary, of.__getitem__)
        yield Finding(CONTRARY, "error", len(contrary), len(store), "clip", means, help, shown, drawn=True)


def rates(look: Look) -> Iterator[Result]:
    """Clips whose frames follow each other faster or slower than in most."""
    known = np.isfinite(look.store.rates) & (look.store.rates > 0)
    if not known.any():
        yield Skipped(RATES, "no frame rate is known")
        return
    usual = float(np.median(look.store.rates[known]))
    off = np.flatnonzero(known & (np.abs(look.store.rates / usual - 1) > _OFF_RATE))
    if len(off):
        rate = count(f"{usual:g}", "frame")
        means = f"Most have {rate} a second; the same movement takes another number of frames in the others."
        help = "Resample them to one rate if speed matters; clips are brought to one length either way."
        shown = look.examples(off, lambda n: f"{count(f'{look.store.rates[n]:g}', 'frame')} a second")
        yield Finding(RATES, "note", len(off), int(known.sum()), "clip", means, help, shown)


CHECKS = {EMPTY: empty, UNLABELLED: unlabelled, TWICE: twice, RATES: rates}
