"""The training loop: simultaneous steps of network and weight unit, resumable at any moment to the same end."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.tensorboard import SummaryWriter

from mien.errors import CheckpointError
from mien.networks import FaceNetwork, fold_affines, weights_digest
from mien.training.assembly import Parts, build, optimizer_groups, take_over
from mien.training.batches import Batches, seed_of
from mien.training.checkpoint import BEST, LAST, State, load_checkpoint, recipe_of, save_checkpoint
from mien.training.data import Source
from mien.training.devices import choose_device
from mien.training.interruption import deferred_interrupt
from mien.training.recipe import Recipe
from mien.training.tasks import Batch
from mien.training.teachers import load_teacher
from mien.training.validation import Metrics, validate
from mien.weighting import clip_gradients

LOG_EVERY = 20
VIEWS = "views"
"""Subfolder of a run with the cached views of its photos, which are removed at its end."""

_STEM_BATCH = 16
_Tensors = list[Tensor] | tuple[Tensor, ...]


class Observer(Protocol):
    """Who wants to see training go on."""

    def step(self, done: int, total: int, losses: dict[str, float], weights: dict[str, float]) -> None:
        """A step was made."""

    def line(self, text: str) -> None:
        """Something worth a line happened."""


class Trainer:
    """Trains one recipe in one folder.

    The folder gets ``last.pt`` (to go on from), ``best.pt`` (the weights that were best in validation, or the last
    where nothing is validated), ``history.json`` (metrics by epoch) and TensorBoard's files. Every random choice
    depends on the recipe's seed and the step's number alone, so a run that was killed and started again ends with the
    same weights as one that was not, on the same machine and with as many threads; on a GPU, nearly the same.

    Args:
        recipe: what to train.
        sources: its data.
        folder: where to write; made when missing.
        observer: sees the progress.
        start: a ``best.pt`` to take the weights of shared stages and branches from, as far as it has them; of no
            meaning where the folder's run goes on.
        teachers: files ``best.pt`` whose networks teach expressions, where the recipe wants teachers.

    Raises:
        RecipeError: the recipe cannot be built, wants a GPU that is not there, or wants teachers and has none, or the
            other way round.
        CheckpointError: the folder holds a run of another recipe, or a checkpoint is damaged or does not fit.
    """

    def __init__(
        self,
        recipe: Recipe,
        sources: list[Source],
        folder: Path,
        observer: Observer,
        start: Path | None = None,
        teachers: Sequence[Path] = (),
    ) -> None:
        self.recipe = recipe
        self.device = choose_device(recipe.device, recipe.precision)
        self.sources = [source.to(self.device.torch_device) for source in sources]
        self.folder = folder
        self.observer = observer
        self.parts: Parts = build(recipe, sources, load_teacher(recipe, teachers, self.device.torch_device))
        if start:
            take_over(self.parts.network, start)
        self.network: FaceNetwork = self.parts.network.to(self.device.torch_device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts.tasks.to(self.device.torch_device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts.weighting.to(self.device.torch_device)
        self._trained = nn.ModuleList([self.network, self.parts.tasks])
        self.averaged = AveragedModel(self.network, multi_avg_fn=_moving_average(recipe.average), use_buffers=True)
        self.optimizer = torch.optim.AdamW(optimizer_groups(recipe, self.parts), fused=True)
        self.batches = Batches(recipe, self.sources, self._stem, weights_digest(self.network.stem), self.device)
        for remark in self.device.remarks:
            observer.line(remark)
        self.step = 0
        self.history: list[Metrics] = []
        self.log_every = LOG_EVERY
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / LAST).exists():
            self._restore(load_checkpoint(folder / LAST))
        self._folded_stem = fold_affines(self.network.stem)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.recipe.epochs * self.batches.steps_per_epoch

    def run(self) -> Metrics:
        """Train to the end, from where the folder's run stands; returns the best epoch's metrics.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the step was finished and the state saved.
        """
        if self.recipe.cached_views:
            self.batches.fill_cache(self.folder / VIEWS, self.observer.line)
        board = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step)
        with _without_denormals(), board, deferred_interrupt() as interrupted:
            while self._epoch_to_end() or self.step < self.total_steps:
                if self._epoch_to_end():
                    self._end_epoch(board)
                else:
                    self._train_step(board)
                    if self.step % self.recipe.checkpoint_every == 0:
                        save_checkpoint(self._state(), self.folder / LAST)
                if interrupted():
                    save_checkpoint(self._state(), self.folder / LAST)
                    self.observer.line(f"stopped after step {self.step}; the same command goes on from there")
                    raise KeyboardInterrupt
        shutil.rmtree(self.folder / VIEWS, ignore_errors=True)
        return self._best()

    def _epoch_to_end(self) -> bool:
        """Whether the steps of an epoch are all made, but it was not validated yet, e.g. because of an interruption."""
        return self.step // self.batches.steps_per_epoch > len(self.history)

    def _train_step(self, board: SummaryWriter) -> None:
        torch.manual_seed(seed_of(self.recipe.seed, 3, self.step))  # dropout
        rate = self._set_learning_rate()
        batch = self.batches.batch(self.step)
        self.network.train()
        losses, shared = self._losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        total = self.parts.weighting.backward(losses, features=shared)
        norms = clip_gradients(self._trained, self.parts.weighting, self.recipe.optimizer.clip)
        self.optimizer.step()
        if self.parts.weighting.needs_losses_after_step:
            with torch.no_grad():
                self.parts.weighting.after_step(self._losses(batch)[0])
        for task in self.parts.named_tasks().values():
            task.after_step()
        self._average()
        self.step += 1
        if self.step % self.log_every == 0:
            values = {task: float(loss.detach()) for task, loss in losses.items()}
            weights = self.parts.weighting.weights
            self.observer.step(self.step, self.total_steps, values, weights)
            scalars = {f"loss/{task}": value for task, value in values.items()}
            scalars |= {f"weight/{task}": value for task, value in weights.items()}
            scalars |= {"loss/total": float(total), "learning_rate": rate}
            scalars |= {"gradient/network": float(norms.network), "gradient/unit": float(norms.weighting)}
            for key, value in scalars.items():
                board.add_scalar(key, value, self.step)

    def _losses(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        with self.device.autocast():
            shared: Tensor = self.network.trunk(batch.stem)
            losses = {
                name: task.loss(self.network.branches[name], shared, batch)
                for name, task in self.parts.named_tasks().items()
            }
        return {name: loss for name, loss in losses.items() if loss is not None}, shared

    def _average(self) -> None:
        if self.recipe.average:
            self.averaged.update_parameters(self.network)

    def _set_learning_rate(self) -> float:
        """Linear warm-up, then half a cosine to zero; the unit's rate is constant. Returns the factor."""
        warmup = max(1, round(self.recipe.optimizer.warmup * self.total_steps))
        if self.step < warmup:
            factor = (self.step + 1) / warmup
        else:
            factor = 0.5 * (1 + math.cos(math.pi * (self.step - warmup) / max(1, self.total_steps - warmup)))
        for group in self.optimizer.param_groups:
            if group["peak_lr"] is not None:
                group["lr"] = factor * group["peak_lr"]
        return factor

    def _end_epoch(self, board: SummaryWriter) -> None:
        self.parts.weighting.end_epoch()
        metrics = validate(self.recipe, self._kept_network(), self.sources, self.device)
        for key, value in metrics.items():
            board.add_scalar(f"validation/{key}", value, self.step)
        epoch = len(self.history) + 1
        best = max((entry.get("score", -math.inf) for entry in self.history), default=-math.inf)
        entry = {"epoch": epoch} | metrics
        if metrics.get("score", math.inf) > best:
            kept = {"recipe": self.recipe.model_dump_json(), "network": self._kept_network().state_dict()}
            save_checkpoint(kept | {"metrics": entry}, self.folder / BEST)
        self.history.append(entry)
        save_checkpoint(self._state(), self.folder / LAST)
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1))
        weights = ", ".join(f"{task} {weight:.3f}" for task, weight in self.parts.weighting.weights.items())
        figures = ", ".join(f"{key} {value:.4f}" for key, value in metrics.items())
        self.observer.line(f"epoch {epoch}/{self.recipe.epochs}: {figures}; weights {weights}")

    def _best(self) -> Metrics:
        return max(self.history, key=lambda entry: entry.get("score", entry["epoch"]))

    def _kept_network(self) -> FaceNetwork:
        """The network that is validated and exported: the running average where there is one."""
        network = self.averaged.module if self.recipe.average else self.network
        assert isinstance(network, FaceNetwork)  # noqa: S101 -- AveragedModel forgets the type
        return network

    @torch.no_grad()
    def _stem(self, pixels: Tensor) -> Tensor:
        with self.device.autocast():
            views = self.network.normalize(pixels).contiguous(memory_format=torch.channels_last)
            # A few at a time: the first layers' outputs of a whole batch are larger than the processor's cache.
            at_once = _STEM_BATCH if self.device.torch_device.type == "cpu" else len(views)
            return torch.cat([self._folded_stem(part) for part in views.split(at_once)])

    def _state(self) -> State:
        return {
            "recipe": self.recipe.model_dump_json(),
            "step": self.step,
            "history": self.history,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "tasks": self.parts.tasks.state_dict(),
            "weighting": self.parts.weighting.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def _restore(self, state: State) -> None:
        if recipe_of(state, self.folder / LAST).content != self.recipe.content:
            raise CheckpointError(
                f"{self.folder} holds a run of another recipe; give another folder, or remove this one to start anew"
            )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.parts.tasks.load_state_dict(state["tasks"])
        self.parts.weighting.load_state_dict(state["weighting"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.history = state["step"], state["history"]
        self.observer.line(f"going on from step {self.step} of {self.total_steps}")


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Take the smallest numbers for 0: an optimiser's moments decay into them, and they slow a processor down."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _moving_average(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """Exponential moving average whose first steps are those of a plain mean, so that it forgets where it started."""

    @torch.no_grad()
    def update(averages: _Tensors, values: _Tensors, count: Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)

    return update
