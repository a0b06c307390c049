"""One gradient for each task: through its own branch to the shared features, and from there through the trunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mien.errors import WeightingError
from mien.weighting.graph import are_nested, hides_parameters, leaves_below, nodes_between, reaches, require_repeatable


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """What one task's loss says, down to the shared features; nothing is written yet.

    Attributes:
        cut: the shared features that its loss was computed from; the loss itself where these are nested.
        at_cut: the gradient at each of them.
        own: the trained leaves above them.
        at_own: the gradient at each of these; None where the loss does not depend on it.
    """

    cut: Sequence[Tensor]
    at_cut: Sequence[Tensor]
    own: Sequence[Tensor]
    at_own: Sequence[Tensor | None]


def trunk_of(reader: str, cuts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Return the trained leaves below all shared features, nearest first.

    Raises:
        WeightingError: when they cannot all be found.
    """
    features = list({id(tensor): tensor for cut in cuts for tensor in cut}.values())
    if hides_parameters(features):
        raise WeightingError(
            f"{reader} cannot look into torch.utils.checkpoint with use_reentrant=True: pass use_reentrant=False."
        )
    return leaves_below(features)


def through_branch(reader: str, task: str, loss: Tensor, cut: Sequence[Tensor]) -> Branch:
    """Differentiate a loss down to the shared features; its part of the graph is used up.

    Where one of the features is computed from another, as the stages of a network are, there is no clean cut: then the
    loss stands for them, and is differentiated down to the trunk's leaves as a whole.

    Raises:
        WeightingError: when the loss was not computed from these features, or cannot be differentiated.
    """
    if not reaches(loss, cut):
        raise WeightingError(
            f"{reader} cuts the network at the shared features, but the loss of {task!r} was not computed from these: "
            "pass the very tensor that its branch reads, and no copy of it."
        )
    own = leaves_below([loss], until=cut)
    if are_nested(cut):
        found = _differentiated(reader, task, loss, own, retain_graph=True)
        return Branch([loss], [torch.ones_like(loss)], own, found)
    found = _differentiated(reader, task, loss, [*cut, *own], retain_graph=False)
    at_cut = [torch.zeros_like(t) if g is None else g for t, g in zip(cut, found, strict=False)]
    return Branch(cut, at_cut, own, found[len(cut) :])


def _differentiated(
    reader: str, task: str, loss: Tensor, tensors: Sequence[Tensor], *, retain_graph: bool
) -> Sequence[Tensor | None]:
    try:
        return torch.autograd.grad(loss, tensors, retain_graph=retain_graph, allow_unused=True) if tensors else ()
    except RuntimeError as error:  # of autograd's many reasons
        raise WeightingError(
            f"{reader} cannot differentiate the loss of {task!r} by itself; above the shared features no two losses "
            f"may have anything in common, nor be compiled together: {error}"
        ) from error


def require_apart(reader: str, branches: Sequence[Branch], shared: Sequence[Tensor]) -> None:
    """Raise ``WeightingError`` when a branch uses a parameter of the trunk: its gradient would be counted twice."""
    below = {id(leaf) for leaf in shared}
    if any(id(leaf) in below for branch in branches for leaf in branch.own):
        raise WeightingError(
            f"{reader} needs losses that reach the trunk through the shared features alone, but a branch uses a "
            "parameter of the trunk too, or reads a tensor from further below."
        )


def rows_at_cut(branches: Sequence[Branch]) -> Tensor:
    """Return the Jacobian ``(K, D)`` with respect to the shared features, which must be the same for all tasks."""
    return torch.stack([_flat(branch.at_cut) for branch in branches])


def rows_through_trunk(reader: str, branches: Sequence[Branch], shared: Sequence[Tensor], chunk: int | None) -> Tensor:
    """Return the Jacobian ``(K, P)`` with respect to the trunk's leaves, in float32 or wider.

    Args:
        reader: who asks, for errors.
        branches: of the K tasks.
        shared: the leaves, with P values together.
        chunk: how many tasks to differentiate at once, by ``torch.vmap``; None is all. Tasks with features of their own
            are differentiated one by one.

    Raises:
        WeightingError: when the trunk cannot be differentiated once for each task.
    """
    require_repeatable(reader, nodes_between([tensor for branch in branches for tensor in branch.cut], shared))
    size = len(branches) if chunk is None else chunk
    if any(list(map(id, branch.cut)) != list(map(id, branches[0].cut)) for branch in branches):
        size = 1
    rows: list[Tensor] = []
    try:
        for start in range(0, len(branches), size):
            part = branches[start : start + size]
            last = start + size >= len(branches)
            rows += _together(part, shared, last=last) if size > 1 else [_alone(part[0], shared, last=last)]
    except RuntimeError as error:  # of autograd's and vmap's many reasons
        raise WeightingError(f"{reader} cannot differentiate the shared part of the network: {error}") from error
    return torch.stack(rows)


def add_gradients(tensors: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
    """Add gradients to those of the tensors."""
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if gradient is not None:
            tensor.grad = gradient if tensor.grad is None else tensor.grad + gradient


def split(vector: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Divide a vector ``(P,)`` into gradients of the shapes and types of the tensors."""
    pieces = torch.split(vector, [tensor.numel() for tensor in tensors])
    return [piece.view(tensor.shape).to(tensor.dtype) for piece, tensor in zip(pieces, tensors, strict=True)]


def _alone(branch: Branch, shared: Sequence[Tensor], *, last: bool) -> Tensor:
    found = torch.autograd.grad(branch.cut, shared, branch.at_cut, retain_graph=not last, allow_unused=True)
    return _flat([torch.zeros_like(s) if g is None else g for s, g in zip(shared, found, strict=True)])


def _together(branches: Sequence[Branch], shared: Sequence[Tensor], *, last: bool) -> list[Tensor]:
    stacked = [torch.stack(gradients) for gradients in zip(*(branch.at_cut for branch in branches), strict=True)]
    found = torch.autograd.grad(
        branches[0].cut, shared, stacked, retain_graph=not last, allow_unused=True, is_grads_batched=True
    )
    count = len(branches)
    full = [s.new_zeros(count, *s.shape) if g is None else g for s, g in zip(shared, found, strict=True)]
    return [_flat([gradient[k] for gradient in full]) for k in range(count)]


def _flat(parts: Sequence[Tensor]) -> Tensor:
    """All as one vector, in float32 or wider: half precision is too coarse for products of gradients."""
    dtype = torch.float32
    for part in parts:
        dtype = torch.promote_types(dtype, part.dtype)
    return torch.cat([part.flatten().to(dtype) for part in parts])
