"""torch.compile with its default backend, inductor: every method is right or says that it cannot be.

The network is compiled a few times only, as each takes a C++ compiler half a minute.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
import torch._functorch.config
from three_tasks import TASKS, Net, make
from torch import Tensor
from torchjd.aggregation import UPGrad

from mien.weighting import DBMTL, REGISTRY, GradientWeighting, TaskWeighting, WeightingError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning"),  # of Nash-MTL
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of inductor's own making
]
PER_GRADIENT = [name for name, method in REGISTRY.items() if method.family == "per-gradient"]
BY_NORMS = [name for name, method in REGISTRY.items() if method.kind.needs_shared_parameters]


@pytest.fixture(scope="module", autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture(scope="module")
def trunk() -> tuple[Net, Net]:
    """A network, and the same with everything below its last shared layer compiled."""
    plain = Net()
    compiled = copy.deepcopy(plain)
    compiled.trunk = torch.compile(compiled.trunk)
    return plain, compiled


@pytest.fixture(scope="module")
def branches() -> tuple[Net, Net]:
    """A network, and the same with each branch compiled by itself."""
    plain = Net()
    compiled = copy.deepcopy(plain)
    for task in TASKS:
        compiled.heads[task] = torch.compile(compiled.heads[task])
    return plain, compiled


def gradients(net: Net, weighting: TaskWeighting) -> list[Tensor]:
    net.zero_grad()
    torch.manual_seed(1)
    weighting.backward(*net(torch.randn(8, 5)))
    return [parameter.grad for parameter in [*net.parameters(), *weighting.parameters()]]


def made(name: str, net: Net) -> TaskWeighting:
    torch.manual_seed(2)
    return make(name, net)


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in PER_GRADIENT])
def test_a_compiled_trunk_is_right_where_it_is_passed_once(name: str, trunk: tuple[Net, Net]) -> None:
    """GradNorm's shared parameters lie above it."""
    plain, compiled = trunk
    torch.testing.assert_close(gradients(compiled, made(name, compiled)), gradients(plain, made(name, plain)))


@pytest.mark.parametrize("name", PER_GRADIENT)
@pytest.mark.parametrize("donated", [True, False])
def test_a_compiled_trunk_is_refused_where_it_is_passed_for_each_task(
    name: str, donated: bool, trunk: tuple[Net, Net]
) -> None:
    """Also with the setting that PyTorch's own error proposes: code from the cache may still be made without it."""
    _, compiled = trunk
    compiled.zero_grad()
    with (
        torch._functorch.config.patch(donated_buffer=donated),
        pytest.raises(WeightingError, match="that part is compiled"),
    ):
        made(name, compiled).backward(*compiled(torch.randn(8, 5)))
    assert all(parameter.grad is None for parameter in compiled.parameters())


def test_at_the_features_the_trunk_is_passed_once(trunk: tuple[Net, Net]) -> None:
    plain, compiled = trunk
    for weighting in (GradientWeighting(TASKS, UPGrad(), at="features"), DBMTL(TASKS, beta=0, at="features")):
        torch.testing.assert_close(gradients(compiled, weighting), gradients(plain, weighting))


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in BY_NORMS and name != "graddrop"])
def test_branches_that_are_compiled_apart_are_right(name: str, branches: tuple[Net, Net]) -> None:
    """GradDrop draws by the order of the parameters."""
    plain, compiled = branches
    torch.testing.assert_close(
        gradients(compiled, made(name, compiled)), gradients(plain, made(name, plain)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("name", BY_NORMS)
@pytest.mark.parametrize("donated", [True, False])
def test_compiled_branches_are_refused_where_norms_are_compared(
    name: str, donated: bool, branches: tuple[Net, Net]
) -> None:
    _, compiled = branches
    compiled.zero_grad()
    with (
        torch._functorch.config.patch(donated_buffer=donated),
        pytest.raises(WeightingError, match="that part is compiled"),
    ):
        made(name, compiled).backward(*compiled(torch.randn(8, 5)))
    assert all(parameter.grad is None for parameter in compiled.parameters())


def test_the_whole_network_in_one() -> None:
    plain = Net()
    compiled = torch.compile(copy.deepcopy(plain))
    for name in ("equal", "dynamic", "uncertainty", "famo"):
        torch.testing.assert_close(gradients(compiled, made(name, compiled)), gradients(plain, made(name, plain)))
    compiled.zero_grad()
    losses, shared = compiled(torch.randn(8, 5))
    for name in ("gradnorm", "autoscale"):
        with pytest.raises(WeightingError, match="that part is compiled"):
            made(name, compiled).backward(losses, shared)
    for name in PER_GRADIENT:
        with pytest.raises(WeightingError):
            made(name, compiled).backward(losses, shared)
    assert all(parameter.grad is None for parameter in compiled.parameters())
