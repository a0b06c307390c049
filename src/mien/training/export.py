"""From a checkpoint to a model file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from torch.nn import functional as F

from mien.alignment import ALIGNMENTS
from mien.contract import Contract
from mien.datasets import FacePixels
from mien.errors import CheckpointError, DataError
from mien.evaluation import choose_thresholds
from mien.networks import EXPRESSION, IDENTITY, FaceNetwork, export_onnx, weights_digest
from mien.outputs import face_outputs
from mien.thresholds import ThresholdTable
from mien.training.assembly import empty_network
from mien.training.checkpoint import load_checkpoint, recipe_of
from mien.training.data import Source
from mien.training.recipe import Recipe
from mien.training.validation import predict


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


def choose_threshold(recipe: Recipe, network: FaceNetwork, sources: list[Source], far: float) -> ThresholdTable:
    """The table of verification thresholds on the people kept for validation, see `mien.evaluation.choose_thresholds`.

    Args:
        recipe: what was trained.
        network: the trained network.
        sources: its data; the first with people in its validation part counts.
        far: the false acceptance rate of the default row, in (0, 1).

    Raises:
        DataError: no source keeps people for validation, or they make too few impostor pairs for the FAR.
    """
    chosen = [source for source in sources if source.validation is not None and source.validation.people]
    if not chosen or chosen[0].validation is None:
        raise DataError("no source keeps people for validation, so no threshold can be chosen; give one instead")
    photos: FacePixels = chosen[0].validation
    embeddings = F.normalize(predict(network, photos, recipe.crop_size)[IDENTITY]).numpy()
    name = f"{chosen[0].recipe.data}, people kept for validation"
    return choose_thresholds(embeddings, photos.identity.numpy(), name=name, default_far=far)


def export(recipe: Recipe, network: FaceNetwork, path: Path, thresholds: ThresholdTable | None) -> Contract:
    """Write a trained network as a model file and return its contract.

    Args:
        recipe: what was trained.
        network: the trained network.
        path: the ONNX file.
        thresholds: those to recommend for verification, of embeddings of length 1.
    """
    alignment = ALIGNMENTS[recipe.alignment]
    scale = recipe.crop_size / alignment.crop_size
    has_identity = IDENTITY in network.branches
    expressions = recipe.tasks.expression.classes if recipe.tasks.expression and EXPRESSION in network.branches else ()
    contract = Contract(
        model_id="",
        crop_size=recipe.crop_size,
        template=tuple((x * scale, y * scale) for x, y in alignment.template),
        landmark_weights=alignment.weights,
        outputs=face_outputs(network.embedding_size if has_identity else 0, expressions),
        thresholds=thresholds if has_identity else None,
        provenance=recipe.card.provenance,
        terms=recipe.card.terms,
    )
    contract = replace(contract, model_id=f"{recipe.name}-{_digest(network, contract)}")
    export_onnx(network, contract, path)
    return contract


def _digest(network: FaceNetwork, contract: Contract) -> str:
    """Twelve digits that differ where the answers do, for embeddings of different answers cannot be compared.

    They are of the weights, and of what the contract says of crops and outputs.
    """
    record = contract.to_record()
    form = {key: record[key] for key in ("crop_size", "template", "landmark_weights", "outputs")}
    return hashlib.sha256((weights_digest(network) + json.dumps(form)).encode()).hexdigest()[:12]
