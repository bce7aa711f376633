"""From the numbers of an ablation to its tables: verdicts on the paper's conclusions, Markdown, plain data, figures."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from ossein.evaluate import Spread, spread
from ossein.recipes.tables import Cell, Claim, Table, Variant
from ossein.view import Curve, draw_comparison

Values = Mapping[str, Mapping[int, float]]
"""Shares in [0, 1] by the name of the variant and the seed, as far as they are known."""

YES, NO, UNKNOWN = "yes", "no", "cannot be told"


class Verdict(NamedTuple):
    """Whether a conclusion of the paper holds here.

    `low` and `high` bound the true mean difference with 95 % confidence; they are NaN for fewer than two seeds.
    """

    holds: str
    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "-"
        numbers = [f"{100 * value:+.1f}" for value in (self.mean, self.low, self.high)]
        return f"{numbers[0]} [{numbers[1]}, {numbers[2]}] (n={self.n})" if self.n > 1 else f"{numbers[0]} (n=1)"


def judge(better: Iterable[float], worse: Iterable[float]) -> Verdict:
    """Whether one thing is better than another, by the paired differences of their seeds.

    The 95 % interval of Student's t about the mean difference lies above 0: yes; below: no; else it cannot be told, and
    never from one seed.

    Args:
        better: What is claimed to be better, one share for each seed.
        worse: What it is compared with, for the same seeds in the same order.

    >>> judge([0.62, 0.64, 0.66], [0.51, 0.54, 0.55])[0], judge([0.62, 0.54], [0.58, 0.56])[0]
    ('yes', 'cannot be told')
    """
    differences = np.array(list(better), float) - np.array(list(worse), float)
    n = len(differences)
    if n < 2:
        return Verdict(UNKNOWN, float(differences[0]) if n else math.nan, math.nan, math.nan, n)
    mean = float(differences.mean())
    # Rounded, so that differences that are equal but for their last bits have an interval of no width.
    around = round(float(stdtrit(n - 1, 0.975) * differences.std(ddof=1) / math.sqrt(n)), 12)
    low, high = mean - around, mean + around
    return Verdict(YES if low > 1e-12 else NO if high < -1e-12 else UNKNOWN, mean, low, high, n)


def judge_claim(claim: Claim, values: Values) -> Verdict:
    """The verdict on a claim, by the seeds that all its variants have been trained with."""
    names = [variant.name for variant in (*claim.better, *claim.worse)]
    seeds = sorted(set.intersection(*(set(values.get(name, {})) for name in names)))
    better, worse = ([_mean(group, values, seed) for seed in seeds] for group in (claim.better, claim.worse))
    return judge(better, worse)


def together(verdicts: Iterable[Verdict]) -> str | None:
    """The verdict on a table: yes if all its claims hold, no if one does not; None where there is no claim."""
    holds = {verdict.holds for verdict in verdicts}
    if not holds:
        return None
    return NO if NO in holds else UNKNOWN if UNKNOWN in holds else YES


def plain(table: Table, values: Values) -> dict[str, Any]:
    """A table as plain data: every cell with its numbers, every claim with its verdict."""
    verdicts = {claim.text: judge_claim(claim, values) for claim in table.claims}
    return {
        "title": table.title,
        "axis": table.axis,
        "cells": [_plain_cell(cell, values) for cell in table.cells],
        "claims": [
            {"text": text, **{key: _finite(value) for key, value in verdict._asdict().items()}}
            for text, verdict in verdicts.items()
        ],
        "holds": together(verdicts.values()),
        "left_out": list(table.left_out),
    }


def markdown(key: str, table: Table, values: Values, failed: Mapping[str, list[int]], *, drawn: bool) -> list[str]:
    """A table as lines of Markdown.

    Args:
        key: The table's name, which is that of its figure.
        table: The table.
        values: The numbers.
        failed: The seeds with which a variant diverged, by the variant's name.
        drawn: Whether its figure exists.
    """
    verdicts = [(claim, judge_claim(claim, values)) for claim in table.claims]
    told = together(verdict for _, verdict in verdicts)
    lines = [f"## {table.title}", ""]
    lines += [f"The paper's direction holds here: **{told}**.", ""] if told else []
    several = len({cell.series for cell in table.cells}) > 1
    rows = [_row(cell, values, failed, several) for cell in table.cells]
    heads = (table.axis, *(("which",) if several else ()), "ours, %", "paper (FineGym), %")
    lines += _grid(heads, rows)
    if verdicts:
        rows = [(claim.text, str(verdict), verdict.holds) for claim, verdict in verdicts]
        lines += ["", *_grid(("the paper's numbers say", "difference here, points", "holds"), rows)]
    lines += ["", "Left out:", "", *(f"- {what}" for what in table.left_out)] if table.left_out else []
    return [*lines, *(["", f"![{table.title}]({key}.png)"] if drawn else []), ""]


def draw(table: Table, values: Values, path: Path, *, unit: str, here: str) -> bool:
    """Write a table's figure: our numbers with their spread, the paper's beside them.

    Args:
        table: The table.
        values: The numbers; cells without are left out.
        path: Where to write.
        unit: What the numbers are.
        here: What our numbers are of.

    Returns:
        Whether there was anything to draw.
    """
    ours = _curves(table, {cell: _spread(cell, values) for cell in table.cells})
    known = {cell: cell.paper for cell in table.cells if cell.paper is not None}
    paper = _curves(table, {cell: Spread(number / 100, math.nan, 1) for cell, number in known.items()})
    if not ours:
        return False
    panels = {here: ours} | ({"paper (FineGym)": paper} if paper else {})
    draw_comparison(panels, path, axis=table.axis, unit=unit, title=table.title, joined=table.ordered)
    return True


def _curves(table: Table, numbers: Mapping[Cell, Spread | None]) -> list[Curve]:
    places = list(dict.fromkeys(cell.at for cell in table.cells))
    curves = []
    for series in dict.fromkeys(cell.series for cell in table.cells):
        own = {cell.at: value for cell, value in numbers.items() if value and cell.series == series}
        mean, std = ([100 * own[at][i] if at in own else math.nan for at in places] for i in (0, 1))
        if own:
            curves.append(Curve(series, tuple(places), tuple(mean), tuple(std)))
    return curves


def _plain_cell(cell: Cell, values: Values) -> dict[str, Any]:
    own, found = values.get(cell.variant.name, {}), _spread(cell, values)
    return {
        "at": cell.at,
        "series": cell.series,
        "note": cell.note,
        "paper": cell.paper,
        "trained": cell.variant.name,
        "values": {str(seed): own[seed] for seed in sorted(own)},
        **(found.plain() if found else {"mean": None, "std": None, "n": 0}),
    }


def _row(cell: Cell, values: Values, failed: Mapping[str, list[int]], several: bool) -> tuple[str, ...]:
    ours = str(_spread(cell, values) or "-")
    seeds = failed.get(cell.variant.name, [])
    if seeds:
        ours += f"; diverged with seed {', '.join(map(str, seeds))}"
    which = f"{cell.series} ({cell.note})" if cell.note else cell.series
    return cell.at, *((which,) if several else ()), ours, "-" if cell.paper is None else f"{cell.paper:.1f}"


def _spread(cell: Cell, values: Values) -> Spread | None:
    own = values.get(cell.variant.name)
    return spread(own[seed] for seed in sorted(own)) if own else None


def _mean(variants: tuple[Variant, ...], values: Values, seed: int) -> float:
    return float(np.mean([values[variant.name][seed] for variant in variants]))


def _grid(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows)]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
