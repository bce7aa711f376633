"""Which rows of features exist: all, some by their numbers, or, in a graph that is compiled or exported, those of a mask.

Picking rows by number saves the work on absent persons and frames, and keeps them out of the statistics of batch norms.
How many there are depends on the data, which a graph of fixed shapes cannot follow: there every row is worked on, batch
norms weigh the absent ones with 0, and they are set to 0 afterwards. The present ones come out the same.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Places = Int[Tensor, " P"] | Bool[Tensor, " R"] | None
"""Numbers of the rows that exist, or whether each does (where shapes are fixed); None for all of them."""

Mask = Bool[Tensor, " S"] | None
"""Whether each place exists, where shapes are fixed; None where what does not exist was left out, or all is there."""


def all_present(here: Bool[Tensor, "*R"]) -> bool:
    """Whether everything is present; a graph that is compiled or exported must not take it for granted."""
    return not torch.compiler.is_compiling() and bool(here.all())


def present_rows(here: Bool[Tensor, "*R"]) -> Places:
    """The rows, all axes flattened, in which something is present.

    >>> present_rows(torch.tensor([[True, False], [False, True]]))
    tensor([0, 3])
    """
    if torch.compiler.is_compiling():
        return here.flatten()
    return None if bool(here.all()) else torch.nonzero(here.flatten()).squeeze(1)


def take_rows(x: Tensor, rows: Places, axis: int = 0) -> Tensor:
    """The rows to work on: those that exist, or all where they are told by a mask."""
    return x if rows is None or rows.dtype == torch.bool else x.index_select(axis, rows)


def of_each_joint(rows: Places, num_joints: int) -> Mask:
    """Which rows of [V R D] exist after `take_rows` from its second axis: all, unless a mask tells them, which takes none."""
    return None if rows is None or rows.dtype != torch.bool else rows.repeat(num_joints)


def put_rows(x: Tensor, rows: Places, num: int | torch.SymInt, axis: int = 0) -> Tensor:
    """What was made of taken rows at their places among all `num`, and 0 at the others."""
    if rows is None:
        return x
    if rows.dtype == torch.bool:
        return x.masked_fill(~rows.view(-1, *[1] * (x.ndim - axis - 1)), 0)
    return x.new_zeros(*x.shape[:axis], num, *x.shape[axis + 1 :]).index_copy(axis, rows, x)
