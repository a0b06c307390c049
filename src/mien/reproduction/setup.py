"""How the runs of a table are made: network, budget, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mien.comparison.experiments.face_tasks import Cut
from mien.errors import RecipeError

CUTS: Mapping[str, Cut] = {
    "resnet29": Cut("resnet29", "dlib", frozen=13, split=14),
    # The paper branches after reduction-B, which stays trainable.
    "inception_resnet_v1_reduced": Cut("inception_resnet_v1_reduced", "vggface2", frozen=4, split=5),
    "inception_resnet_v1": Cut("inception_resnet_v1", "vggface2", frozen=17, split=18),
}
"""Each backbone's cut with its default weights: one shared stage is trained."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The budget of every run, whatever its method.

    Attributes:
        cut: the network.
        epochs: how often figures are taken; the best epoch is chosen.
        steps: batches an epoch, so that a run costs the same on every data set.
        batch_size: photos a batch; the paper's.
        learning_rates: the grid from which each row's rate is chosen, that of pretrained layers.
        photos: train on at most so many, evenly spread; 0 for all.
    """

    cut: Cut = CUTS["resnet29"]
    epochs: int = 6
    steps: int = 18
    batch_size: int = 90
    learning_rates: tuple[float, ...] = (3e-6, 1e-5, 3e-5)
    photos: int = 0


def make_setup(
    backbone: str,
    weights: str = "",
    *,
    quick: bool = False,
    epochs: int | None = None,
    rates: Sequence[float] = (),
) -> Setup:
    """The setup for a backbone.

    Args:
        backbone: a key of `CUTS`.
        weights: others than the default.
        quick: a few seconds a run, to see that everything works; its figures mean little.
        epochs: another number than the default.
        rates: another grid of learning rates than the default.

    Raises:
        RecipeError: there is no such backbone, or a learning rate is not above 0.
    """
    if backbone not in CUTS:
        raise RecipeError(f"tables cannot be made with backbone {backbone}; choose one of: {', '.join(CUTS)}")
    default = CUTS[backbone]
    cut = Cut(backbone, weights or default.weights, default.frozen, default.split)
    if any(not rate > 0 for rate in rates):
        raise RecipeError(f"learning rates {', '.join(f'{rate:g}' for rate in rates)} are not all above 0")
    setup = Setup(cut)
    if quick:
        setup = Setup(cut, epochs=2, steps=4, batch_size=32, learning_rates=(1e-5,), photos=256)
    return replace(setup, epochs=epochs or setup.epochs, learning_rates=tuple(rates) or setup.learning_rates)
