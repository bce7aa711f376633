"""Message passing against loops over joints, graphs and neighbours."""

import math

import pytest
import torch
from torch import Tensor, nn

from ossein.nn import GATConv, GCNConv, GINConv, GraphConv, GraphStack, Linear, PartitionConv, after, gather, partitions
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
CONVS = [GINConv, GCNConv, GATConv]
ALL = [*CONVS, PartitionConv]


def neighbours(skeleton: Skeleton) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in skeleton.joints]
    for a, b in skeleton.bones:
        near[a].append(b)
        near[b].append(a)
    return near


def made(conv: type[GraphConv], features_in: int = 6, features_out: int = 8, skeleton: Skeleton = COCO) -> GraphConv:
    torch.manual_seed(0)
    layer = conv(skeleton, features_in, features_out).double()
    for value in layer.parameters():
        nn.init.normal_(value, std=0.5)
    return layer


def features(num: int = 5, width: int = 6) -> Tensor:
    return torch.randn(17, num, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_gather_sums_over_all_joints_by_the_rows_of_the_matrix():
    matrix, h = torch.randn(3, 17, dtype=torch.float64), features()
    out = gather(matrix, h)
    assert out.shape == (3, 5, 6)
    for v in range(3):
        torch.testing.assert_close(out[v], sum(matrix[v, u] * h[u] for u in range(17)))


@pytest.mark.parametrize("training", [True, False])
def test_gin_is_an_mlp_of_the_joint_and_the_sum_of_its_neighbours(training: bool):
    layer, h = made(GINConv).train(training), features()
    assert isinstance(layer, GINConv)
    near, rows = neighbours(COCO), []
    for v in range(17):
        for r in range(h.shape[1]):
            total = h[v, r].clone()
            for u in near[v]:
                total += h[u, r]
            rows.append(layer.first.weight @ total)
    norm = nn.BatchNorm1d(8).double().train(training)
    norm.load_state_dict(layer.norm.state_dict())
    normed = norm(torch.stack(rows))
    hidden = torch.where(normed > 0, normed, layer.act.slope * normed)
    expected = hidden @ layer.second.weight.T + layer.second.bias
    torch.testing.assert_close(layer(h), expected.view(17, -1, 8))


def test_gcn_divides_by_the_roots_of_both_degrees():
    layer, h = made(GCNConv), features()
    assert isinstance(layer, GCNConv)
    near, out = neighbours(COCO), layer(h)
    for v in range(17):
        for r in range(h.shape[1]):
            total = torch.zeros(6, dtype=torch.float64)
            for u in [v, *near[v]]:
                total += h[u, r] / math.sqrt((len(near[v]) + 1) * (len(near[u]) + 1))
            # The matrix is kept in float32.
            torch.testing.assert_close(out[v, r], layer.linear.weight @ total + layer.bias, rtol=1e-6, atol=1e-6)


@torch.no_grad()
def test_gat_weighs_neighbours_by_a_softmax_in_each_head():
    layer, h = made(GATConv), features()
    assert isinstance(layer, GATConv)
    assert layer.heads == 4
    near, out = neighbours(COCO), layer(h)
    for v in range(17):
        for r in range(h.shape[1]):
            heads = []
            for k in range(4):
                own = {u: (layer.linear.weight @ h[u, r])[2 * k : 2 * k + 2] for u in range(17)}
                energy = {}
                for u in [v, *near[v]]:
                    e = float(layer.receive[k] @ own[v] + layer.send[k] @ own[u])
                    energy[u] = math.exp(e if e > 0 else 0.2 * e)
                heads.append(sum(own[u] * (energy[u] / sum(energy.values())) for u in energy))
            torch.testing.assert_close(out[v, r], torch.cat(heads) + layer.bias)


def test_gat_has_one_head_where_four_do_not_fit():
    layer = made(GATConv, features_out=6)
    assert isinstance(layer, GATConv)
    assert layer.heads == 1
    assert layer(features()).shape == (17, 5, 6)


def steps_to_centre(skeleton: Skeleton) -> list[int]:
    """The bones between each joint and the nearest centre joint, by walking outwards."""
    steps, wave = dict.fromkeys(skeleton.centre, 0), list(skeleton.centre)
    while wave:
        wave = [u for v in wave for u in neighbours(skeleton)[v] if steps.setdefault(u, steps[v] + 1) == steps[v] + 1]
        wave = [u for u in dict.fromkeys(wave) if steps[u] == max(steps.values())]
    return [steps[v] for v in range(len(skeleton))]


@torch.no_grad()
@pytest.mark.parametrize("name", ["coco-17", "ntu-25"])
def test_partitions_are_averaged_each_with_its_own_map(name: str):
    skeleton = Skeleton.of(name)
    layer = made(PartitionConv, skeleton=skeleton)
    assert isinstance(layer, PartitionConv)
    h = torch.randn(len(skeleton), 5, 6, dtype=torch.float64)
    near, far, out = neighbours(skeleton), steps_to_centre(skeleton), layer(h)
    for v in range(len(skeleton)):
        kinds = [
            [u for u in [v, *near[v]] if far[u] == far[v]],
            [u for u in near[v] if far[u] < far[v]],
            [u for u in near[v] if far[u] > far[v]],
        ]
        expected = layer.linear.bias.expand(5, -1).clone()
        for k, kind in enumerate(kinds):
            for u in kind:
                weighed = layer.importance[k, v, u] * h[u] / len(kind)
                expected += weighed @ layer.linear.weight[:, 6 * k : 6 * k + 6].T
        # The matrix is kept in float32.
        torch.testing.assert_close(out[v], expected, rtol=1e-6, atol=1e-6)


def test_every_edge_is_of_one_kind_and_starts_with_importance_one():
    kinds = partitions(COCO) > 0
    whole = torch.from_numpy(COCO.adjacency()) + torch.eye(17)
    assert torch.equal(kinds.sum(0), whole.long())
    # Who is nearer to the centre for one end of a bone is further for the other.
    assert torch.equal(kinds[1], kinds[2].T)
    assert (PartitionConv(COCO, 6, 8).importance == 1).all()


@pytest.mark.parametrize("conv", ALL)
def test_a_joint_hears_from_its_neighbours_and_no_further(conv: type[GraphConv]):
    layer, h = made(conv).eval(), features().requires_grad_()
    for v in range(17):
        (grad,) = torch.autograd.grad(layer(h)[v].square().sum(), h)
        heard = grad.abs().sum((1, 2)) > 0
        assert set(heard.nonzero().flatten().tolist()) == {v, *neighbours(COCO)[v]}


@pytest.mark.parametrize("conv", ALL)
def test_graphs_do_not_hear_of_each_other(conv: type[GraphConv]):
    layer, h = made(conv).eval(), features()
    out = layer(h)
    for r in range(h.shape[1]):
        torch.testing.assert_close(layer(h[:, r : r + 1]), out[:, r : r + 1])


@pytest.mark.parametrize("conv", ALL)
def test_a_map_before_a_layer_is_the_two_one_after_the_other(conv: type[GraphConv]):
    torch.manual_seed(0)
    layer, linear = made(conv, 6, 8), Linear(6, 6, bias=False).double()
    found = []
    for way in (after, lambda linear, layer, h: layer(linear(h))):
        out = way(linear, layer, features())
        found.append([out, *torch.autograd.grad(out.square().sum(), [*linear.parameters(), *layer.parameters()])])
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("conv", CONVS)
def test_weights_have_no_joint_axis(conv: type[GraphConv]):
    other = made(conv, skeleton=Skeleton.of("ntu-25"))
    other.load_state_dict(made(conv).state_dict())
    assert not any(25 in value.shape or 17 in value.shape for value in other.state_dict().values())


@pytest.mark.parametrize("conv", CONVS)
def test_a_stack_is_its_layers_each_followed_by_norm_and_prelu(conv: type[GraphConv]):
    torch.manual_seed(0)
    stack = GraphStack(conv, COCO, 8, 3).double()
    h = features(width=8)
    expected = h
    twin = GraphStack(conv, COCO, 8, 3).double()
    twin.load_state_dict(stack.state_dict())
    for i in range(3):
        flat = nn.BatchNorm1d(8).double()(twin.convs[i](expected).reshape(-1, 8))
        expected = torch.where(flat > 0, flat, 0.25 * flat).view(17, -1, 8)
    torch.testing.assert_close(stack(h), expected)
    assert len(stack.convs) == len(stack.norms) == len(stack.acts) == 3


@pytest.mark.parametrize("conv", CONVS)
def test_no_graph_at_all_is_fine(conv: type[GraphConv]):
    torch.manual_seed(0)
    stack = GraphStack(conv, COCO, 8, 2)
    assert stack(torch.zeros(17, 0, 8)).shape == (17, 0, 8)
    assert all(value.isfinite().all() for value in stack.state_dict().values())
