"""Looks at the graphs that losses hang on, before they are differentiated more than once."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from torch import Tensor

from mien.errors import WeightingError

Node = Any
"""A node of autograd's graph: ``tensor.grad_fn`` and what it leads to."""

_PLAIN_BACKENDS = "torch._dynamo.backends.debugging"
"""The backends of torch.compile in this module, aot_eager among them, run the operations one by one, as they are."""


def leaves_below(tensors: Iterable[Tensor], until: Iterable[Tensor] = ()) -> list[Tensor]:
    """Return the trained leaves of the tensors' graphs, nearest first, without those only reached through ``until``."""
    return [node.variable for node in _walk(tensors, {tensor.grad_fn for tensor in until}) if hasattr(node, "variable")]


def reaches(top: Tensor, tensors: Collection[Tensor]) -> bool:
    """Return whether the graph of ``top`` holds one of the tensors, each of which has a graph of its own."""
    wanted = {tensor.grad_fn for tensor in tensors}
    return any(node in wanted for node in _walk([top], wanted))


def are_nested(tensors: Sequence[Tensor]) -> bool:
    """Return whether one of the tensors was computed from another."""
    nodes = [tensor.grad_fn for tensor in tensors]
    return len(nodes) > 1 and any(node in nodes and node is not top.grad_fn for top in tensors for node in _walk([top]))


def nodes_between(tops: Sequence[Tensor], ends: Collection[Tensor]) -> set[Node]:
    """Return the nodes on the ways from ``tops`` to the leaves ``ends``."""
    leaves = {id(end) for end in ends}
    parents: dict[Node, list[Node]] = {}
    found: list[Node] = []
    for node in _walk(tops):
        if id(getattr(node, "variable", None)) in leaves:
            found.append(node)
        for child in _children(node):
            parents.setdefault(child, []).append(node)
    between = set(found)
    while found:
        above = [parent for parent in parents.get(found.pop(), ()) if parent not in between]
        between.update(above)
        found.extend(above)
    return between


def require_repeatable(reader: str, nodes: Iterable[Node]) -> None:
    """Raise ``WeightingError`` when a node cannot be trusted to give its gradients more than once.

    The code that torch.compile makes for a backward pass may write over what the forward pass saved. It says so in most
    cases, but code from its cache, made under other settings, does not and gives wrong gradients.
    """
    for node in nodes:
        kind = type(node).__name__
        if kind == "CompiledFunctionBackward" and not _is_plain(node):
            raise WeightingError(
                f"{reader} differentiates a part of the network more than once, and that part is compiled: gradients "
                "after the first may be wrong. Leave it out of torch.compile, or compile it with the backend aot_eager."
            )
        if kind == "CheckpointFunctionBackward":
            raise WeightingError(
                f"{reader} cannot look into torch.utils.checkpoint with use_reentrant=True: pass use_reentrant=False."
            )
        if kind == "_DDPSinkBackward" and node.ddp_weakref().static_graph:
            raise WeightingError(
                f"{reader} differentiates more than once, which DistributedDataParallel does not allow in the first "
                "step with static_graph=True: leave static_graph out."
            )


def hides_parameters(tensors: Iterable[Tensor]) -> bool:
    """Return whether some graph holds a reentrant checkpoint, behind which parameters cannot be found."""
    return any(type(node).__name__ == "CheckpointFunctionBackward" for node in _walk(tensors))


def _is_plain(node: Node) -> bool:
    compiled = getattr(getattr(node, "_forward_cls", None), "compiled_fw", None)
    return getattr(compiled, "__module__", "") == _PLAIN_BACKENDS and hasattr(compiled, "__qualname__")


def _children(node: Node) -> list[Node]:
    return [child for child, _ in node.next_functions if child is not None]


def _walk(tops: Iterable[Tensor], until: Collection[Node] = ()) -> Iterator[Node]:
    """Yield each node below the tensors once, nearest first; nodes in ``until`` are yielded and not passed."""
    waiting = deque(dict.fromkeys(top.grad_fn for top in tops if top.grad_fn is not None))
    seen = set(waiting)
    while waiting:
        node = waiting.popleft()
        yield node
        if node in until:
            continue
        children = [child for child in dict.fromkeys(_children(node)) if child not in seen]
        seen.update(children)
        waiting.extend(children)
