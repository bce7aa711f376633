"""The ablation tables of SkeletonMAE: which trainings stand in which table, and what the paper concludes from it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from ossein.encoders import EncoderSettings
from ossein.pretrain import MaskSettings
from ossein.recipes.paper import (
    BASE,
    BEST_PARTS,
    BEST_SETS,
    DEPTH,
    LAYERS,
    ONE_PART,
    PARTS,
    RANDOM_JOINTS,
    RANDOM_WEIGHTS,
    SHARES,
    WORST_PARTS,
    WORST_SETS,
    Kind,
)
from ossein.skeleton import Skeleton

Data = Literal["data", "target"]


@dataclass(frozen=True)
class Variant:
    """What one cell trains: the ablation preset with something changed.

    Args:
        hidden: Numbers of the hidden parts, or the share of joints that are drawn for each clip.
        kind: How the encoder's joints exchange messages.
        depth: Layers of the encoder.
        layers: Layers of STRL.
        beta: Of the loss.
        detach: Whether gradients are kept out of the target.
        start: What pre-training learned from, or `random` for none.
        tuned_on: What is fine-tuned and tested on.
    """

    hidden: tuple[int, ...] | float
    kind: Kind = "gin"
    depth: int = 3
    layers: int = 3
    beta: float = 2.0
    detach: bool = True
    start: Data | Literal["random"] = "data"
    tuned_on: Data = "data"

    @property
    def encoder(self) -> EncoderSettings:
        """The settings of the encoder."""
        return EncoderSettings(kind=self.kind, depth=self.depth)

    @property
    def mask(self) -> MaskSettings:
        """The settings of the mask."""
        if isinstance(self.hidden, tuple):
            return MaskSettings(kind="parts", parts=self.hidden)
        return MaskSettings(kind="random-joints", share=self.hidden)

    @property
    def pretraining(self) -> str | None:
        """Names the pre-training: variants that share it have one name, None stands for random weights."""
        if self.start == "random":
            return None
        if isinstance(self.hidden, tuple):
            hidden = f"parts{'+'.join(map(str, self.hidden))}"
        else:
            hidden = f"joints{100 * self.hidden:.0f}"
        loss = f"beta{self.beta:g}" + ("" if self.detach else "-attached")
        learned = "target-" if self.start == "target" else ""
        return f"{learned}{self.kind}{self.depth}-{hidden}-{loss}"

    @property
    def name(self) -> str:
        """Names both trainings: variants that train the same have one name.

        >>> Variant((0, 3), depth=2).name, Variant(0.3, start="random").name
        ('gin2-parts0+3-beta2-strl3', 'random-gin3-strl3')
        """
        start = self.pretraining or f"random-{self.kind}{self.depth}"
        return f"{start}-strl{self.layers}" + ("-to-target" if self.tuned_on == "target" else "")


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Args:
        at: Where it stands along the table's axis.
        variant: What is trained.
        paper: The paper's number in per cent, where it has one.
        series: Which of the table's lines it belongs to, where there are several.
        note: What else is to be known.
    """

    at: str
    variant: Variant
    paper: float | None = None
    series: str = ""
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """What the paper concludes: the mean over some variants is better than that over others."""

    text: str
    better: tuple[Variant, ...]
    worse: tuple[Variant, ...]


@dataclass(frozen=True)
class Table:
    """A table of the paper on some skeleton.

    Args:
        title: What it is about.
        axis: What changes along its axis.
        cells: Its numbers.
        claims: The paper's conclusions that can be judged with these cells.
        left_out: Cells of the paper that do not exist here, and why.
        ordered: Whether neighbours along the axis may be joined by a line.
    """

    title: str
    axis: str
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...] = ()
    left_out: tuple[str, ...] = ()
    ordered: bool = False


@dataclass(frozen=True)
class Scope:
    """What the tables are made for.

    Args:
        skeleton: The joints of the data.
        kinds: The graph networks to compare.

    >>> Scope(Skeleton.of("coco-17")).base.hidden
    (3,)
    """

    skeleton: Skeleton
    kinds: tuple[Kind, ...] = ("gin", "gcn", "gat")

    @property
    def parts(self) -> list[str]:
        """The names of the skeleton's parts."""
        return list(self.skeleton.parts)

    @property
    def base(self) -> Variant:
        """The paper's ablation preset, which hides the right arm; without one, the skeleton's own part 3, or its last."""
        arm = self.parts.index(PARTS[3]) if self.has_the_arm else min(3, len(self.parts) - 1)
        return Variant((arm,))

    @property
    def has_the_arm(self) -> bool:
        """Whether the skeleton has the part that the paper hides in most tables."""
        return PARTS[3] in self.parts

    @property
    def unlike(self) -> tuple[str, ...]:
        """Why the paper's numbers do not stand beside those of the base, where they do not."""
        hidden = self.parts[self.base.hidden[0]] if isinstance(self.base.hidden, tuple) else ""
        why = f"the paper's numbers: they are of a hidden {PARTS[3]}, {self.skeleton.name} has none, so {hidden} is hidden here"
        return () if self.has_the_arm else (why,)


def depth(scope: Scope) -> Table:
    """Table 4a: how deep the encoder is."""
    variants = [replace(scope.base, depth=number) for number in (1, 2, 3, 4)]
    return _third_is_best(scope, "Depth of the encoder", "encoder layers", variants, DEPTH)


def layers(scope: Scope) -> Table:
    """How many layers STRL has."""
    variants = [replace(scope.base, layers=number) for number in (1, 2, 3, 4)]
    return _third_is_best(scope, "Layers of STRL", "STRL layers", variants, LAYERS)


def parts(scope: Scope) -> Table:
    """One part hidden, each in turn, with each kind of encoder."""
    names, kinds = scope.parts, scope.kinds

    def cell(number: int, kind: Kind) -> Cell:
        paper = ONE_PART[kind][PARTS.index(names[number])] if names[number] in PARTS else None
        return Cell(f"V{number} {names[number]}", Variant((number,), kind), paper, kind.upper())

    cells = tuple(cell(number, kind) for kind in kinds for number in range(len(names)))
    of: dict[Kind, tuple[Variant, ...]] = {
        kind: tuple(c.variant for c in cells if c.variant.kind == kind) for kind in kinds
    }
    claims = _falling("over all parts", of)
    if {"head", "right_arm", "right_leg"} <= set(names):
        limbs, head = (
            tuple(Variant((names.index(name),), kind) for name in group for kind in kinds)
            for group in (("right_arm", "right_leg"), ("head",))
        )
        claims += (Claim("hiding the right arm or leg is better than hiding the head", limbs, head),)
    missing = tuple(
        f"V{number} {name}: {scope.skeleton.name} has no such part"
        for number, name in enumerate(PARTS)
        if name not in names
    )
    return Table("One hidden part", "hidden part", cells, claims, missing)


def joints(scope: Scope) -> Table:
    """Table 5b: single joints at random against whole parts, the best and the worst of the paper."""
    random = [_drawn(scope, i) for i in range(len(SHARES))]
    best = [_named(scope, "best parts", i, BEST_SETS[i], BEST_PARTS[i]) for i in range(len(SHARES))]
    worst = [_named(scope, "worst parts", i, WORST_SETS[i], WORST_PARTS[i]) for i in range(len(SHARES))]
    cells = tuple(one for one in (*random, *best, *worst) if isinstance(one, Cell))
    missing = tuple(one for one in (*random, *best, *worst) if isinstance(one, str))
    both = [(a.variant, b.variant) for a, b in zip(best, random) if isinstance(a, Cell) and isinstance(b, Cell)]
    better, worse = (tuple(pair[i] for pair in both) for i in (0, 1))
    claims = (Claim("the best parts are better than random joints", better, worse),) if both else ()
    return Table("Random joints or whole parts", "hidden joints", cells, claims, missing, ordered=True)


def backbone(scope: Scope) -> Table:
    """Which graph network encodes; the paper's numbers are those of the same hidden part."""
    variants: dict[Kind, Variant] = {kind: replace(scope.base, kind=kind) for kind in scope.kinds}
    paper = {kind: ONE_PART[kind][3] if scope.has_the_arm else None for kind in variants}
    cells = tuple(Cell(kind.upper(), variant, paper[kind]) for kind, variant in variants.items())
    claims = _falling("", {kind: (variant,) for kind, variant in variants.items()})
    return Table("Graph network of the encoder", "graph network", cells, claims, scope.unlike)


def loss(scope: Scope) -> Table:
    """What pre-training brings, and what its loss is about; of beta and the target the paper gives no numbers."""
    trained = scope.base
    random = replace(trained, start="random")
    cells = (
        Cell("random weights", random, RANDOM_WEIGHTS),  # which hide nothing
        Cell("beta 2", trained, BASE if scope.has_the_arm else None),
        Cell("beta 1", replace(trained, beta=1.0)),
        Cell("beta 3", replace(trained, beta=3.0)),
        Cell("target not detached", replace(trained, detach=False)),
    )
    claims = (Claim("pre-trained weights are better than random ones", (trained,), (random,)),)
    return Table("Pre-training and its loss", "weights to start from", cells, claims, scope.unlike)


def transfer(scope: Scope) -> Table:
    """Pre-training on one data set, fine-tuning on another."""
    other = replace(scope.base, tuned_on="target")
    own, random = replace(other, start="target"), replace(other, start="random")
    cells = (Cell("random weights", random), Cell("the target itself", own), Cell("the other data set", other))
    claims = (Claim("pre-training on the other data set is better than random weights", (other,), (random,)),)
    return Table("Transfer", "weights from", cells, claims)


TABLES: dict[str, Callable[[Scope], Table]] = {
    "depth": depth,
    "layers": layers,
    "parts": parts,
    "joints": joints,
    "backbone": backbone,
    "loss": loss,
    "transfer": transfer,
}


def _third_is_best(scope: Scope, title: str, axis: str, variants: list[Variant], paper: tuple[float, ...]) -> Table:
    beside = paper if scope.has_the_arm else (None,) * len(paper)
    cells = tuple(Cell(f"{i + 1}", variant, number) for i, (variant, number) in enumerate(zip(variants, beside)))
    claims = tuple(Claim(f"3 are better than {i + 1}", (variants[2],), (variants[i],)) for i in (0, 1, 3))
    return Table(title, axis, cells, claims, scope.unlike, ordered=True)


def _falling(where: str, of: dict[Kind, tuple[Variant, ...]]) -> tuple[Claim, ...]:
    """GIN before GCN before GAT."""
    return tuple(
        Claim(f"{a.upper()} is better than {b.upper()} {where}".strip(), of[a], of[b]) for a, b in pairwise(of)
    )


def _drawn(scope: Scope, i: int) -> Cell | str:
    """Random joints at a share, or why there is no such cell."""
    at, share, num = f"{100 * SHARES[i]:.0f} %", SHARES[i], len(scope.skeleton)
    if 0 < round(share * num) < num:
        return Cell(at, Variant(share), RANDOM_JOINTS[i], "random joints")
    return f"random joints at {at} (paper {RANDOM_JOINTS[i]}): {round(share * num)} of {num} joints would be hidden"


def _named(scope: Scope, series: str, i: int, words: tuple[str, ...] | None, paper: float) -> Cell | str:
    """Parts that take the place of a share, or why there is no such cell."""
    at, skeleton = f"{100 * SHARES[i]:.0f} %", scope.skeleton
    missing = [word for word in words or () if word not in scope.parts]
    count = sum(len(skeleton.parts[word]) for word in words or () if word in scope.parts)
    if words is None:
        why = "which parts they are could not be read"
    elif missing:
        why = f"{skeleton.name} has no part {missing[0]}"
    elif count == len(skeleton):
        why = f"{count} of {count} joints would be hidden"
    else:
        hidden = tuple(map(scope.parts.index, words))
        return Cell(at, Variant(hidden), paper, series, f"{' + '.join(words)}, {count} of {len(skeleton)} joints")
    return f"{series} at {at} (paper {paper}): {why}"
