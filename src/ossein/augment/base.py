"""The contract of everything that maps a batch to a batch, and the few measures of a body that several share.

Both kinds are small frozen records with checked fields. They return a new batch and leave their input as it was, take
the whole batch at once, leave absent joints absent, and do to a clip what they would do to it alone: more empty persons
or empty frames beside it change nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ossein.clip import Batch
from ossein.draw import Draw
from ossein.errors import SettingsError


class Transform(ABC):
    """A fixed change of a batch: normalisation, streams."""

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch:
        """The changed batch."""


class Augment(ABC):
    """A random change of a batch, with its own random numbers for every clip.

    What is drawn depends on shapes and fields alone, never on values or the device, so that a seed means the same
    numbers everywhere. The shape of a draw is (N, ...); where it has an entry per joint, joints are axis 3 as in `x`.
    """

    @abstractmethod
    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The changed batch.

        Args:
            batch: The clips of this process.
            draw: Where the random numbers come from.
        """


class Linear(Augment):
    """A random change x -> A x with a matrix for each clip. It leaves 0 where it is, and so what is absent."""

    @abstractmethod
    def matrix(self, batch: Batch, draw: Draw) -> Float[Tensor, "N C C"]:
        """The matrix of each clip, in double precision and on the CPU, so that products of several are as good as one.

        Args:
            batch: The clips of this process; of them only shapes count.
            draw: Where the random numbers come from.
        """

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with every clip changed by its own matrix."""
        return _changed(batch, self.matrix(batch, draw))


@dataclass(frozen=True)
class Identity(Transform):
    """No change at all."""

    def __call__(self, batch: Batch) -> Batch:
        """The batch itself."""
        return batch


@dataclass(frozen=True)
class Compose(Augment):
    """Augmentations one after another; none of them is no change.

    Args:
        steps: What to do, first to last.
    """

    steps: tuple[Augment, ...] = ()

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch after the last step."""
        whole: Tensor | None = None
        for step in self.steps:
            if isinstance(step, Linear):
                # One after another they are one, which is one pass over the batch.
                own = step.matrix(batch, draw)
                whole = own if whole is None else own @ whole
                continue
            batch, whole = step(_changed(batch, whole), draw), None
        return _changed(batch, whole)


def _changed(batch: Batch, matrix: Tensor | None) -> Batch:
    return batch if matrix is None else replace(batch, x=linear(batch.x, matrix.to(batch.x)))


def check(owner: object, name: str, low: float, high: float) -> None:
    """Stop unless the field `name` of `owner` lies in [low, high].

    Raises:
        SettingsError: It does not (or is not a number).
    """
    value = getattr(owner, name)
    if not low <= value <= high:
        raise SettingsError(
            f"{type(owner).__name__}: {name} is {value}, expected {low:g} to {high:g}. Choose a value in that range."
        )


def linear(x: Float[Tensor, "N M T V C"], matrix: Float[Tensor, "N C C"]) -> Float[Tensor, "N M T V C"]:
    """x'_c = sum_d matrix_cd x_d, one matrix per clip.

    Written as products and a sum because a matrix product is rounded to bfloat16 under autocast, and to TF32 where that
    is allowed; coordinates must not be. Coordinate by coordinate, each of which lies in one piece in a batch in `planes`.
    """
    parts, rows = x.unbind(-1), matrix[:, None, None, None].unbind(-2)
    out = [_dot(parts, row.unbind(-1)) for row in rows]
    return torch.stack(out).movedim(0, -1) if x.movedim(-1, 0).is_contiguous() else torch.stack(out, -1)


def _dot(parts: Sequence[Tensor], numbers: Sequence[Tensor]) -> Tensor:
    """sum_c parts_c numbers_c."""
    whole = parts[0] * numbers[0]
    for part, number in zip(parts[1:], numbers[1:], strict=True):
        whole.addcmul_(part, number)
    return whole


def planes(x: Float[Tensor, "N M T V C"]) -> Float[Tensor, "N M T V C"]:
    """The same numbers, but in memory one coordinate of the whole batch after the other.

    What is done to coordinates for each joint, person or clip (a weight, a shift, a matrix) then runs over long stretches
    of memory instead of 2 or 3 numbers at a time: most such passes take a tenth of the time on a CPU.
    """
    return x.movedim(-1, 0).contiguous().movedim(0, -1)


def with_own(batch: Batch, x: Float[Tensor, "N M T V C"]) -> Batch:
    """The batch with other, finite coordinates that nobody else holds: `Batch.change`, written into `x` itself.

    In a batch in `planes` that takes a fifth of the time.
    """
    if not batch.complete:
        x.movedim(-1, 0).mul_(batch.score.sign())
    return replace(batch, x=x)


def mean(x: Tensor, here: Bool[Tensor, "N M T V"] | Float[Tensor, "N M T V"], *axes: int) -> Tensor:
    """The mean of x [N M T V C] over some of the axes N M T V, kept with length 1, counting only what is `here` (0 or 1).

    Nothing to count gives 0.
    """
    weight = here.unsqueeze(-1).to(x.dtype)
    return (x * weight).sum(axes, keepdim=True) / weight.sum(axes, keepdim=True).clamp(min=1)


def surely(flags: Tensor) -> bool:
    """Whether all are known to be true; only a CPU is asked, as by `Batch.complete`."""
    return flags.device.type == "cpu" and not torch.compiler.is_compiling() and bool(flags.all())


def first_person(batch: Batch) -> Bool[Tensor, "N M"]:
    """True for the first person of each clip who is there at all; nowhere in an empty clip."""
    there = batch.score.flatten(2).amax(-1) > 0
    return there & (there.cumsum(-1) == 1)


def body_size(batch: Batch) -> Float[Tensor, "N 1 1 1 1"]:
    """How large the bodies of a clip are, in the unit of `x`; 0 where it cannot be told.

    size = mean over persons m and frames t of sqrt( mean over joints v of |x_mtv - mean_v x_mt|^2 ), of what is
    present. Frames in which only one joint of a person is seen say nothing about size and are left out.
    """
    here, count = _joints(batch)
    each, parts = count.clamp(min=1), batch.x.unbind(-1)
    middles = [part.sum(3, keepdim=True) / each for part in parts]  # what is absent is 0
    apart = [part - middle for part, middle in zip(parts, middles, strict=True)]
    square = _dot(apart, apart) if here is None else _dot(apart, apart).mul_(here)
    spread = (square.sum(3, keepdim=True) / each).sqrt()
    size = mean(spread.unsqueeze(-1), count > 1, 1, 2)
    # Joints that all lie in one point are apart by rounding alone, and what is divided by that would explode. How far from
    # 0 they lie, which sets the rounding, their middles say as well.
    far = torch.stack(middles).abs().amax((0, 2, 3, 4))
    return torch.where(size > 1e-6 * far[:, None, None, None, None], size, 0.0)


def _joints(batch: Batch) -> tuple[Float[Tensor, "N M T V"] | None, Float[Tensor, "N M T 1"]]:
    """1 where a joint is and 0 where not, None where none is known to lack; and how many there are in each frame."""
    if batch.complete:
        return None, batch.score.new_full((), batch.score.shape[3]).expand(*batch.score.shape[:3], 1)
    here = batch.score.sign()  # a comparison and a cast take ten times as long
    return here, here.sum(3, keepdim=True)


def span(batch: Batch) -> tuple[Float[Tensor, "N 1"], Float[Tensor, "N 1"]]:
    """The first and the last frame in which anybody is; the whole of an empty clip."""
    seen = batch.present.any(1).to(torch.uint8)
    first = seen.argmax(-1, keepdim=True)
    last = seen.shape[1] - 1 - seen.flip(-1).argmax(-1, keepdim=True)
    return first.to(batch.x), last.to(batch.x)
