"""The decoder: a linear map, then one layer; hidden joints are hidden again only where that is asked for."""

import pytest
import torch

from ossein.nn import GATConv, GCNConv, GINConv, GraphConv
from ossein.pretrain import GraphDecoder
from ossein.skeleton import Skeleton

COCO = Skeleton.of("coco-17")
D, R = 8, 5
CONVS = [GINConv, GCNConv, GATConv]


def made(conv: type[GraphConv], remask: bool = False) -> GraphDecoder:
    torch.manual_seed(0)
    decoder = GraphDecoder(conv, COCO, D, remask)
    if decoder.token is not None:
        torch.nn.init.normal_(decoder.token)
    return decoder


def features() -> tuple[torch.Tensor, torch.Tensor]:
    of = torch.Generator().manual_seed(1)
    return torch.randn(17, R, D, generator=of), torch.rand(17, R, generator=of) < 0.5


@pytest.mark.parametrize("conv", CONVS)
def test_it_is_a_linear_map_without_bias_then_one_layer(conv: type[GraphConv]):
    decoder, (z, hidden) = made(conv), features()
    assert decoder.linear.bias is None
    assert type(decoder.conv) is conv
    assert decoder.token is None
    twin = made(conv)
    torch.testing.assert_close(decoder(z, hidden), twin.conv(z @ twin.linear.weight.T))


@pytest.mark.parametrize("conv", CONVS)
def test_remask_puts_the_learned_vector_in_place_of_hidden_joints(conv: type[GraphConv]):
    decoder, (z, hidden) = made(conv, remask=True), features()
    twin = made(conv, remask=True)
    assert twin.token is not None
    h = twin.linear(z).detach().clone()
    for v in range(17):
        for r in range(R):
            if hidden[v, r]:
                h[v, r] = twin.token
    torch.testing.assert_close(decoder(z, hidden), twin.conv(h))


@pytest.mark.parametrize("remask", [False, True])
def test_hidden_matters_only_with_remask(remask: bool):
    decoder, (z, hidden) = made(GINConv, remask).eval(), features()
    assert torch.equal(decoder(z, hidden), decoder(z, ~hidden)) is not remask


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("remask", [False, True])
def test_gradient_flows_to_every_weight(conv: type[GraphConv], remask: bool):
    decoder, (z, hidden) = made(conv, remask).eval(), features()
    decoder(z, hidden).square().sum().backward()
    for name, value in decoder.named_parameters():
        assert value.grad is not None, name
        assert value.grad.any(), name
