"""What processes do together, on two that are played by threads."""

import pytest
import torch
from two import TwoProcesses, in_two_threads

from ossein.nn import across, gather_rows, several_processes


def test_alone_there_is_nobody_to_ask():
    x = torch.randn(3, 2)
    rows, own = gather_rows(x)
    assert not several_processes()
    assert rows is x
    assert own == 0


@pytest.mark.parametrize("sizes", [(2, 2), (1, 4), (0, 3), (2, 0)])
def test_rows_of_all_are_gathered_and_each_learns_from_all(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]):
    """Each process weighs the rows in its own way; a row's gradient is the sum of what both make of it."""
    parts = [torch.randn(num, 3) for num in sizes]
    weights = [torch.randn(sum(sizes), 3) for _ in range(2)]
    monkeypatch.setattr(across, "dist", TwoProcesses())

    def work(rank: int) -> tuple[torch.Tensor, int, torch.Tensor]:
        x = parts[rank].clone().requires_grad_()
        rows, own = gather_rows(x)
        (rows * weights[rank]).sum().backward()
        assert x.grad is not None
        return rows.detach(), own, x.grad

    for rank, (rows, own, grad) in enumerate(in_two_threads(work)):
        assert torch.equal(rows, torch.cat(parts))
        assert own == (0, sizes[0])[rank]
        torch.testing.assert_close(grad, sum(weights)[own : own + sizes[rank]])
