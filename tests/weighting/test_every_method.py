"""What every method of the registry keeps, on a small network with three tasks."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from three_tasks import TASKS, Net, make

from mien.weighting import REGISTRY, ScalarWeighting, WeightingError, parameter_groups

pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")  # of Nash-MTL
EVERY = pytest.mark.parametrize("name", REGISTRY)
SCALAR = pytest.mark.parametrize("name", [n for n, m in REGISTRY.items() if issubclass(m.kind, ScalarWeighting)])


class Run:
    """Network, method and optimiser; every choice of a step depends on its number."""

    def __init__(self, name: str, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.net = Net()
        self.weighting = make(name, self.net)
        groups = parameter_groups(self.net, self.weighting, lr=1e-2)
        self.optimizer = torch.optim.Adam(groups)
        self.name = name

    def step(self, number: int) -> list[float]:
        torch.manual_seed(number)
        inputs = torch.randn(8, 5)
        partial = number % 4 == 2 and not getattr(self.weighting, "needs_all_tasks", False)
        tasks = ["a", "c"] if partial else ["b"] if number % 4 == 3 else TASKS
        losses, shared = self.net(inputs, tasks)
        self.optimizer.zero_grad()
        total = self.weighting.backward(losses, features=shared)
        weights = self.weighting.weights
        assert all(weights[task] == 0 for task in TASKS if task not in tasks)
        assert not total.requires_grad
        if not any(map(math.isnan, weights.values())):
            expected = sum(weights[task] * float(loss.detach()) for task, loss in losses.items())
            assert float(total) == pytest.approx(expected, rel=1e-5)
        self.optimizer.step()
        if self.weighting.needs_losses_after_step:
            with torch.no_grad():
                self.weighting.after_step(self.net(inputs, tasks)[0])
        if number % 3 == 2:
            self.weighting.end_epoch()
        return [float(total), *weights.values()]

    def state(self) -> dict[str, object]:
        parts = (self.net, self.weighting, self.optimizer)
        return {str(i): copy.deepcopy(part.state_dict()) for i, part in enumerate(parts)}

    def load(self, state: dict[str, object]) -> None:
        for i, part in enumerate((self.net, self.weighting, self.optimizer)):
            part.load_state_dict(state[str(i)])


@EVERY
def test_a_run_that_was_saved_and_loaded_continues_exactly(name: str) -> None:
    whole, halted = Run(name), Run(name)
    for number in range(7):
        assert whole.step(number) == pytest.approx(halted.step(number), nan_ok=True, abs=0), "not deterministic"
    resumed = Run(name, seed=1)
    resumed.load(halted.state())
    for number in range(7, 14):
        assert whole.step(number) == pytest.approx(resumed.step(number), nan_ok=True, abs=0)
    for one, other in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(one, other)


@EVERY
def test_three_tasks_are_learned(name: str) -> None:
    run = Run(name)
    inputs = torch.randn(64, 5)
    before = sum(float(loss.detach()) for loss in run.net(inputs, TASKS)[0].values())
    for number in range(60):
        run.step(number)
    assert sum(float(loss.detach()) for loss in run.net(inputs, TASKS)[0].values()) < 0.9 * before


@EVERY
def test_a_loss_that_is_not_finite_writes_no_gradient_and_is_not_learned_from(name: str) -> None:
    run = Run(name)
    run.step(0)
    run.optimizer.zero_grad()
    before = run.state()
    losses, shared = run.net(torch.randn(8, 5), TASKS)
    with pytest.raises(WeightingError, match=r"not finite: \{'b': nan\}"):
        run.weighting.backward({**losses, "b": losses["b"] * float("nan")}, shared)
    assert all(p.grad is None for p in [*run.net.parameters(), *run.weighting.parameters()])
    torch.testing.assert_close(run.state(), before, rtol=0, atol=0, equal_nan=True)


@EVERY
def test_gradients_of_several_calls_add_up(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    batches = torch.randn(2, 8, 5)
    apart = make(name, net)
    together = make(name, net)
    together.load_state_dict(apart.state_dict())
    total = [torch.zeros_like(p) for p in net.parameters()]
    for number, batch in enumerate(batches):
        torch.manual_seed(number)
        net.zero_grad()
        losses, shared = net(batch, TASKS)
        apart.backward(losses, shared)
        total = [kept + p.grad for kept, p in zip(total, net.parameters(), strict=True)]
    net.zero_grad()
    for number, batch in enumerate(batches):
        torch.manual_seed(number)
        losses, shared = net(batch, TASKS)
        together.backward(losses, shared)
    for parameter, expected in zip(net.parameters(), total, strict=True):
        torch.testing.assert_close(parameter.grad, expected)


@SCALAR
def test_the_objective_has_the_gradients_of_backward(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    one = make(name, net)
    two = make(name, net)
    two.load_state_dict(one.state_dict())
    inputs = torch.randn(8, 5)
    losses, shared = net(inputs, TASKS)
    total = one.backward(losses, shared)
    expected = [p.grad.clone() for p in net.parameters()]
    own = [p.grad.clone() for p in one.parameters()]
    net.zero_grad()
    losses, shared = net(inputs, TASKS)
    objective = two(losses, shared)
    assert float(objective.detach()) == pytest.approx(float(total))
    objective.backward()
    torch.testing.assert_close([p.grad for p in net.parameters()], expected)
    torch.testing.assert_close([p.grad for p in two.parameters()], own)


@SCALAR
def test_nothing_is_learned_from_losses_that_are_only_measured(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    measured = {"a": torch.tensor(2.0), "b": torch.tensor(7.0), "c": torch.tensor(1.0)}
    with torch.no_grad():
        assert float(weighting(measured)) == 10  # before the first step: their sum
    weighting.backward(*net(torch.randn(8, 5), TASKS))
    before = {key: value.clone() for key, value in weighting.state_dict().items()}
    expected = sum(weighting.weights[task] * float(loss) for task, loss in measured.items())
    for training, graph in ((False, True), (False, False), (True, False)):
        weighting.train(training)
        with torch.set_grad_enabled(graph):
            assert float(weighting(measured).detach()) == pytest.approx(expected)
            absent = float(weighting({"b": measured["b"]}).detach())
        assert absent == pytest.approx(7 * weighting.weights["b"])
    assert weighting.state_dict().keys() == before.keys()
    for key, value in weighting.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0, equal_nan=True)


@SCALAR
def test_a_task_that_the_last_step_lacked_is_measured_by_its_weight_of_before(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    weighting.backward(*net(torch.randn(8, 5), TASKS))
    before = weighting.weights["b"]
    weighting.backward(*net(torch.randn(8, 5), ["a", "c"]))
    assert weighting.weights["b"] == 0
    measured = float(weighting.eval()({"b": torch.tensor(7.0)}).detach())
    assert measured == pytest.approx(7 * before)


@EVERY
def test_a_network_under_bfloat16_autocast(name: str) -> None:
    torch.manual_seed(0)
    net = Net()
    weighting = make(name, net)
    for _ in range(3):
        with torch.autocast("cpu", torch.bfloat16):
            losses, shared = net(torch.randn(8, 5), TASKS)
        total = weighting.backward({task: loss.bfloat16() for task, loss in losses.items()}, shared)
        if weighting.needs_losses_after_step:
            weighting.after_step(losses)
    assert total.dtype == torch.float32
    assert all(p.grad.isfinite().all() for p in [*net.parameters(), *weighting.parameters()])


@EVERY
def test_one_task_is_trained_alone(name: str) -> None:
    """A batch of one task has an ordinary gradient, up to a factor."""
    torch.manual_seed(0)
    net = Net()
    losses, shared = net(torch.randn(8, 5), ["b"])
    losses["b"].backward(retain_graph=True)
    expected = net.trunk[0].weight.grad.flatten()
    net.zero_grad()
    make(name, net).backward(losses, shared)
    assert float(torch.cosine_similarity(net.trunk[0].weight.grad.flatten(), expected, dim=0)) == pytest.approx(1)
    assert net.heads["a"].weight.grad is None or not net.heads["a"].weight.grad.any()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in REGISTRY if name != "graddrop"])  # draws by the order of parameters
def test_a_compiled_trunk(name: str) -> None:
    torch.manual_seed(0)
    plain = Net()
    compiled = copy.deepcopy(plain)
    compiled.trunk = torch.compile(compiled.trunk, backend="aot_eager")
    inputs = torch.randn(8, 5)
    gradients = []
    for net in (plain, compiled):
        torch.manual_seed(1)
        losses, shared = net(inputs, TASKS)
        make(name, net).backward(losses, shared)
        gradients.append([p.grad for p in net.parameters()])
    torch.testing.assert_close(*gradients)
