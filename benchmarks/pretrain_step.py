"""A pre-training step of the preset `skeletonmae` beside the same model on torch_geometric.

1024 graphs of 17 joints, three GIN layers of width 64: encode, decode, compare, backward, Adam. Before anything is timed
both have to give the same loss and the same gradients from the same weights.
"""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from found import Result, Table, arguments, goal_table, table
from timing import Limit, Timing, machine_rates, side_by_side, threads
from torch import Tensor, nn

from ossein.cli.allocator import hold_memory
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.pretrain import SkeletonMAE, SkeletonMAESettings
from ossein.skeleton import Skeleton
from ossein.train import OptimSettings, build_optimiser

COCO = Skeleton.of("coco-17")
CLIPS, FRAMES, WIDTH, DEPTH = 16, 64, 64, 3
GRAPHS, JOINTS = CLIPS * FRAMES, len(COCO)
ROWS = GRAPHS * JOINTS


def main() -> None:
    """Check, time, write."""
    parser = arguments(__doc__ or "", rounds=40)
    asked = parser.parse_args()
    hold_memory()
    result = Result("pretrain_step", "A pre-training step")
    ours, theirs, batch = model(), peer(), skeletons()
    check_same(ours, theirs, batch)
    took: dict[int, dict[str, Timing]] = {}
    for num_threads in (1, 2):
        with threads(num_threads):
            calls = {
                "torch_geometric, fp32": stepper(theirs, batch, bf16=False),
                "ossein, fp32": stepper(ours, batch, bf16=False),
                "torch_geometric, bf16": stepper(theirs, batch, bf16=True),
                "ossein, bf16": stepper(ours, batch, bf16=True),
            }
            timings = took[num_threads] = side_by_side(calls, asked.rounds)
            rates = machine_rates(num_threads, product=(ROWS, WIDTH, WIDTH))
        title = f"Pre-training step, {GRAPHS} graphs of {JOINTS} joints, {num_threads} thread{'s' * (num_threads > 1)}"
        result.add(table(title, timings, limit=limit(), rates=rates, num_threads=num_threads, note=NOTE), timings)
    result.add(goals(took))
    result.write(asked.out)


def goals(took: dict[int, dict[str, Timing]]) -> Table:
    """What was set out for, and what was reached, by the number of threads."""
    wanted = ((1, "fp32", 2.0), (1, "bf16", 3.0), (2, "fp32", 3.0))
    faster = {(num, kind): took[num][f"ossein, {kind}"].ratio for num, kind, _ in wanted}
    return goal_table(
        *(
            (
                f"{kind}, {num} thread(s), times torch_geometric fp32 on as many",
                f">= {goal:.0f}",
                f"{got:.2f}",
                got >= goal,
            )
            for (num, kind, goal), got in zip(wanted, faster.values(), strict=True)
        )
    )


NOTE = "Both keep freed memory. The limit is that of fp32."


def limit() -> Limit:
    """What the step cannot do without in fp32.

    Products: nine linear maps of WIDTH by WIDTH, forward and twice backward, and four sums over neighbours, forward and
    once backward, as dense products. Bytes: each of the nine maps and seven activations reads one array and writes one, forward, and reads
    two and writes one, backward.
    """
    maps, sums, activations = 2 * DEPTH + 3, DEPTH + 1, 2 * DEPTH + 1
    flops = 3 * maps * 2 * ROWS * WIDTH**2 + 2 * sums * 2 * ROWS * JOINTS * WIDTH
    return Limit(flops, (maps + activations) * 5 * ROWS * WIDTH * 4)


def skeletons(clips: int = CLIPS) -> Batch:
    """Clips of one person who is always there."""
    x = torch.randn(clips, 1, FRAMES, JOINTS, 2, generator=torch.Generator().manual_seed(0))
    return Batch(
        x, torch.ones(x.shape[:-1]), COCO, torch.zeros(clips).long(), torch.arange(clips), torch.ones(clips, 2)
    )


def model() -> SkeletonMAE:
    """Ours, as the preset makes it."""
    torch.manual_seed(0)
    return SkeletonMAE(COCO, 2, FRAMES, 1, SkeletonMAESettings()).train()


class Peer(nn.Module):
    """The same model as the field writes it: rows of joints, a list of edges, torch's own layers."""

    edges: Tensor
    hidden: Tensor

    def __init__(self, conv: Callable[[], nn.Module], graphs: int = GRAPHS) -> None:
        super().__init__()
        self.embed, self.token = nn.Linear(2, WIDTH), nn.Parameter(torch.zeros(WIDTH))
        self.convs = nn.ModuleList(conv() for _ in range(DEPTH))
        self.norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(DEPTH))
        self.acts = nn.ModuleList(nn.PReLU() for _ in range(DEPTH))
        self.linear, self.decode = nn.Linear(WIDTH, WIDTH, bias=False), conv()
        bones = torch.tensor(COCO.bones).T
        both = torch.cat([bones, bones.flip(0)], 1)
        edges = (both[:, None] + JOINTS * torch.arange(graphs)[:, None]).flatten(1)
        hidden = SkeletonMAE(COCO, 2, FRAMES, 1, SkeletonMAESettings()).mask(1, Draw.of(0))[0]
        self.graphs = graphs
        self.register_buffer("edges", edges, persistent=False)
        self.register_buffer("hidden", hidden.repeat(graphs), persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """The loss."""
        target = self.embed(batch.x.reshape(-1, 2))
        h = target.clone()
        h[self.hidden] = self.token.to(h.dtype)
        for conv, norm, act in zip(self.convs, self.norms, self.acts, strict=True):
            h = act(norm(conv(h, self.edges)))
        rebuilt = self.decode(self.linear(h), self.edges)
        # GraphMAE's scaled cosine error, which for one number m of hidden joints is m^(beta - 1) times SkeletonMAE's.
        truth, rebuilt = (F.normalize(z[self.hidden], dim=-1) for z in (target.detach(), rebuilt))
        return (1 - (truth * rebuilt).sum(-1)).pow(2).mean() / (int(self.hidden.sum()) // self.graphs)

    def beside(self, ours: SkeletonMAE) -> list[tuple[nn.Parameter, nn.Parameter]]:
        """Every weight of this model with the one of ours that means the same."""
        pairs: list[tuple[nn.Module, nn.Module]] = [
            (self.embed, ours.encoder.embed),
            (self.linear, ours.decoder.linear),
            (self.norms, ours.encoder.stack.norms),
        ]
        pairs += zip(self.acts, ours.encoder.stack.acts, strict=True)
        for own, other in zip([*self.convs, self.decode], [*ours.encoder.stack.convs, ours.decoder.conv], strict=True):
            pairs += zip(own.nn, (other.first, other.norm, other.act, other.second), strict=True)
        both = [(self.token, ours.encoder.token)]
        for own, other in pairs:
            both += zip(own.parameters(), other.parameters(), strict=True)
        return both


def peer(graphs: int = GRAPHS) -> Peer:
    """The peer's model for so many graphs, with its own GINConv."""
    from torch_geometric.nn import GINConv

    def conv() -> nn.Module:
        first, second = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
        return GINConv(nn.Sequential(first, nn.BatchNorm1d(WIDTH), nn.PReLU(), second))

    return Peer(conv, graphs).train()


def check_same(ours: SkeletonMAE, theirs: Peer, batch: Batch) -> None:
    """Both give the same loss and the same gradients from the same weights, in double precision."""
    ours, theirs = copy.deepcopy(ours).double(), theirs.double()
    pairs = theirs.beside(ours)
    assert len(pairs) == len(list(ours.parameters())) == len(list(theirs.parameters()))
    with torch.no_grad():
        for own, other in pairs:
            own.copy_(other.view_as(own))
    batch = batch.change(x=batch.x.double())
    losses = ours(batch, Draw.of(0)).loss, theirs(batch)
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    for own, other in pairs:
        torch.testing.assert_close(own.grad, other.grad.view_as(own), rtol=1e-5, atol=1e-9)
    theirs.float().zero_grad()


def stepper(model: nn.Module, batch: Batch, *, bf16: bool) -> Callable[[], None]:
    """A whole step of a model of its own: forward, backward, Adam."""
    model = copy.deepcopy(model)
    ours = isinstance(model, SkeletonMAE)
    optimiser = build_optimiser(model, OptimSettings()) if ours else torch.optim.Adam(model.parameters(), lr=1.5e-4)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(batch, Draw.of(0)).loss if ours else model(batch)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


if __name__ == "__main__":
    main()
