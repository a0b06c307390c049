"""From a checkpoint to a model file."""

from __future__ import annotations

from pathlib import Path

from mien.alignment import ALIGNMENTS
from mien.contract import Contract, Threshold
from mien.datasets import FacePixels
from mien.errors import CheckpointError, DataError
from mien.evaluation import evaluate_verification
from mien.networks import EXPRESSION, IDENTITY, FaceNetwork, export_onnx, weights_digest
from mien.training.assembly import empty_network
from mien.training.checkpoint import load_checkpoint, recipe_of
from mien.training.data import Source
from mien.training.recipe import Recipe
from mien.training.validation import predict

_IMPOSTORS_PER_GENUINE = 200.0


def load_trained(path: Path) -> tuple[Recipe, FaceNetwork]:
    """Read the recipe and the network of a ``best.pt``; the network is in evaluation mode.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
    """
    state = load_checkpoint(path)
    recipe = recipe_of(state, path)
    network = empty_network(recipe)
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise CheckpointError(f"checkpoint {path} does not fit its own recipe: {error}") from error
    return recipe, network.eval()


def choose_threshold(recipe: Recipe, network: FaceNetwork, sources: list[Source], far: float) -> Threshold:
    """The verification threshold that keeps to a FAR on the people kept for validation.

    Args:
        recipe: what was trained.
        network: the trained network.
        sources: its data; those with people in their validation part count.
        far: the false acceptance rate, in (0, 1).

    Raises:
        DataError: no source keeps people for validation, or they make too few impostor pairs for the FAR.
    """
    chosen = [source for source in sources if source.validation is not None and source.validation.people]
    if not chosen or chosen[0].validation is None:
        raise DataError("no source keeps people for validation, so no threshold can be chosen; give one instead")
    photos: FacePixels = chosen[0].validation
    embeddings = predict(network, photos, recipe.crop_size)[IDENTITY].numpy()
    identities = photos.identity.numpy()
    result = evaluate_verification(
        embeddings, identities, folds=1, fars=(far,), impostors_per_genuine=_IMPOSTORS_PER_GENUINE, bootstrap=0
    )
    point = result.points[0]
    if point.far_asked * result.impostors < 1:
        raise DataError(f"{result.impostors} impostor pairs are too few to choose a threshold at FAR {far:g}")
    chosen_on = (
        f"{chosen[0].recipe.data}: {result.people} people kept for validation, {result.impostors} impostor pairs, "
        f"{point.false_accepts} of them accepted; {result.genuine} genuine pairs, TAR {point.tar:.4f}"
    )
    return Threshold(round(point.threshold, 4), far, chosen_on)


def export(recipe: Recipe, network: FaceNetwork, path: Path, threshold: Threshold | None) -> Contract:
    """Write a trained network as a model file and return its contract.

    Args:
        recipe: what was trained.
        network: the trained network.
        path: the ONNX file.
        threshold: the recommended verification threshold; needed when there is an identity branch.
    """
    alignment = ALIGNMENTS[recipe.alignment]
    scale = recipe.crop_size / alignment.crop_size
    has_identity = IDENTITY in network.branches
    expressions = recipe.tasks.expression.classes if recipe.tasks.expression and EXPRESSION in network.branches else ()
    contract = Contract(
        # Embeddings of other weights cannot be compared, so the weights are part of the name.
        model_id=f"{recipe.name}-{weights_digest(network)[:12]}",
        crop_size=recipe.crop_size,
        template=tuple((x * scale, y * scale) for x, y in alignment.template),
        landmark_weights=alignment.weights,
        expressions=expressions,
        embedding_size=network.embedding_size if has_identity else 0,
        threshold=threshold if has_identity else None,
        provenance=recipe.card.provenance,
        terms=recipe.card.terms,
    )
    export_onnx(network, contract, path)
    return contract
