"""A training recipe: one YAML file that says everything about how a model was made."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import yaml
from pydantic import Field, ValidationError, model_validator

from mien.datasets import Augmentation
from mien.errors import RecipeError
from mien.training.sources import Count, Fraction, Natural, Positive, Section, SourceRecipe
from mien.types import Expression
from mien.weighting import METHODS

FIGURES = (
    "expression_accuracy",
    "expression_balanced_accuracy",
    "verification_accuracy",
    "tar_at_far_1e-2",
    "tar_at_far_1e-3",
)
"""What the best epoch may be chosen by."""

CropSize = Annotated[int, Field(ge=112)]  # below that, the last stage of resnet29 has no room


class NetworkRecipe(Section):
    """The two-task network.

    Attributes:
        backbone: see `mien.networks.BACKBONES`.
        weights: the name of published ones, such as ``dlib`` in the installed package; the path of a file; or
            ``random``.
        split: number of shared stages, see the backbone for their numbers.
        frozen: how many of the shared stages keep their weights.
        stages: by task, the numbers of the stages that its branch has; all from the split on by default.
        grids: by task, the side of the feature map that its branch works on; that of the shared features by default.
        batch_norm: task branches that normalise by the batch while they train; where a branch came without, it gets
            its batch normalisation back (see `mien.networks.restore_batch_norm`).
        dropout: on the pooled features of the expression branch.
    """

    backbone: Literal[
        "resnet29",
        "inception_resnet_v1",
        "inception_resnet_v1_reduced",
        "iresnet18",
        "iresnet34",
        "iresnet50",
        "iresnet100",
        "sface",
    ] = "resnet29"
    weights: str = "dlib"
    split: Count = 8
    frozen: Natural = 4
    stages: dict[Literal["identity", "expression"], tuple[Natural, ...]] = Field(default_factory=dict)
    grids: dict[Literal["identity", "expression"], Count] = Field(default_factory=dict)
    batch_norm: tuple[Literal["identity", "expression"], ...] = ("expression",)
    dropout: Fraction = 0.0


class TeacherRecipe(Section):
    """Identity taught by the pretrained network's own embedding, on labelled and unlabelled photos alike.

    Attributes:
        rows: how many photos of each batch are taught, to save time; 0 means all.
        scale: factor of the mean squared distance to the teacher's embedding.
    """

    rows: Natural = 0
    scale: Positive = 1.0


class LabelsRecipe(Section):
    """Identity taught by labels.

    Attributes:
        loss: ``softmax``, the paper's, or one with a margin (`mien.networks.ArcFaceLoss`, `mien.networks.CosFaceLoss`)
            at its paper's settings.
        center: factor of the centre loss beside it; 0.1 in the official command.
        scale: factor of the sum.
    """

    loss: Literal["softmax", "arcface", "cosface"] = "softmax"
    center: float = 0.1
    scale: Positive = 1.0


class IdentityRecipe(Section):
    """The identity task: a teacher, labels, or the sum of both."""

    teacher: TeacherRecipe | None = None
    labels: LabelsRecipe | None = None

    @model_validator(mode="after")
    def _something(self) -> IdentityRecipe:
        if self.teacher is None and self.labels is None:
            raise ValueError("identity needs a teacher, labels, or both")
        return self


class ExpressionRecipe(Section):
    """The expression task: cross-entropy over the classes.

    Attributes:
        classes: the expressions, in the order of the model's output.
        label_smoothing: share of the target spread over all classes.
        mixup: a, where each face's shared features are mixed with another's, and their targets alike, by a share drawn
            from Beta(a, a) (manifold mixup, Verma et al. 2019); 0 for none.
        taught: share of the target that is the mean of what earlier runs say of the same view (Hinton et al. 2015);
            they are given when training starts (``--teacher CHECKPOINT``).
        blendshapes: factor of the mean squared error of a second head, which learns the sources' blendshapes from the
            same features; 0 for none. The head is dropped after training.
    """

    classes: Annotated[tuple[Expression, ...], Field(min_length=2)] = tuple(Expression)[:7]
    label_smoothing: Fraction = 0.0
    mixup: float = Field(default=0.0, ge=0)
    taught: Fraction = 0.0
    blendshapes: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _different(self) -> ExpressionRecipe:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("the classes repeat; give each once")
        return self


class TasksRecipe(Section):
    """The tasks that are trained; leave one out for a single-task model."""

    identity: IdentityRecipe | None = None
    expression: ExpressionRecipe | None = None

    @model_validator(mode="after")
    def _something(self) -> TasksRecipe:
        if self.identity is None and self.expression is None:
            raise ValueError("name at least one task: identity, expression")
        return self


class WeightingRecipe(Section):
    """How the task losses become one objective, see `mien.weighting`.

    Attributes:
        method: a name from `mien.weighting.REGISTRY`.
        fixed: weights by task, for ``fixed``.
        lr: learning rate of the method's own parameters; None takes the method's default, and the network's `lr` where
            it has none.
    """

    method: str = "dynamic"
    fixed: dict[str, float] | None = None
    lr: Positive | None = None

    @model_validator(mode="after")
    def _known_method(self) -> WeightingRecipe:
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is unknown; choose one of: {', '.join(METHODS)}")
        return self


class OptimizerRecipe(Section):
    """AdamW with a warm-up and a cosine decay to zero.

    Attributes:
        lr: largest learning rate of branches with batch normalisation and of new layers.
        pretrained_lr: largest learning rate of pretrained layers without batch statistics: trunk and identity branch.
        weight_decay: decoupled decay, on weights of two and more dimensions.
        clip: largest gradient norm of the network, and of the weight unit apart from it; 5 in the official code.
        warmup: share of all steps over which the learning rate grows.
    """

    lr: Positive = 1e-3
    pretrained_lr: Positive = 3e-5
    weight_decay: float = Field(default=0.05, ge=0)
    clip: Positive = 5.0
    warmup: Fraction = 0.03


class CardRecipe(Section):
    """What the model file will say about itself, see `mien.contract.Contract`."""

    provenance: str
    terms: str


class Recipe(Section):
    """Everything about a training run.

    Attributes:
        name: the model's id.
        card: what the model file says about itself.
        seed: of every random choice but the division of the data.
        seed_of_split: of the division into training and validation, so that seeds can be compared on the same division.
        epochs: passes over the first source.
        crop_size: side of the crops that the model is made for, in pixels.
        alignment: to which landmarks the aligned crops were brought (see `mien.alignment`); the model file says it.
        device: where to compute: ``cpu``; ``cuda``, a GPU; or ``auto``, a GPU where there is one. It says nothing about
            the model: a run may go on elsewhere, though only on one CPU to bit by bit the same end.
        precision: ``bfloat16`` computes the network under autocast: faster where the processor has instructions for it,
            many times slower where not.
        average: decay of the running average of the weights, which is what is validated and kept; 0 for none.
        cached_views: 0 draws new views in every epoch; k keeps k random views of each photo, with the frozen stem's
            output computed once.
        checkpoint_every: steps between checkpoints.
        score: the figures of validation, of `FIGURES`, whose mean chooses the epoch that is kept; those of all sources,
            or with ``<data set>/`` before the name those of one.
    """

    name: str
    card: CardRecipe
    seed: Natural = 0
    seed_of_split: Natural = 0
    epochs: Count
    sources: Annotated[tuple[SourceRecipe, ...], Field(min_length=1)]
    network: NetworkRecipe = NetworkRecipe()
    tasks: TasksRecipe
    weighting: WeightingRecipe = WeightingRecipe()
    optimizer: OptimizerRecipe = OptimizerRecipe()
    crop_size: CropSize = 150
    alignment: Literal["dlib", "arcface"] = "dlib"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    average: Fraction = 0.0
    cached_views: Natural = 0
    checkpoint_every: Count = 200
    score: Annotated[tuple[str, ...], Field(min_length=1)] = ("expression_accuracy", "verification_accuracy")

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.network.frozen > self.network.split:
            raise ValueError("network.frozen must not be above network.split")
        if self.cached_views and self.tasks.expression and self.tasks.expression.taught:
            raise ValueError("tasks.expression.taught needs new views of the photos; set cached_views to 0")
        expression = self.tasks.expression
        if expression and expression.blendshapes and not any(source.blendshapes for source in self.sources):
            raise ValueError("tasks.expression.blendshapes needs a source with blendshapes")
        for name in self.score:
            data, _, figure = name.rpartition("/")
            if figure not in FIGURES or (data and data not in {source.data for source in self.sources}):
                known = ", ".join(FIGURES)
                raise ValueError(f"score {name!r} is unknown; name any of {known}; for one source <data set>/<figure>")
        return self

    @property
    def hash(self) -> str:
        """Identifies the recipe's content: the first 12 digits of the SHA-256 of its canonical form."""
        return hashlib.sha256(self.content.encode()).hexdigest()[:12]

    @property
    def content(self) -> str:
        """The canonical form: JSON of all that decides about the model, without the device."""
        return self.model_dump_json(exclude={"device"})

    def changed(self, changes: dict[str, Any]) -> Recipe:
        """A recipe with some values replaced.

        Args:
            changes: values by dotted path, such as ``weighting.method`` or ``sources.0.validation``.

        Raises:
            RecipeError: the result is invalid.
        """
        content = self.model_dump(mode="json")
        for path, value in changes.items():
            *parents, last = path.split(".")
            section: Any = content
            for parent in parents:
                section = _part(section, parent)
            if not isinstance(section, dict):
                raise RecipeError(f"the recipe has no section {'.'.join(parents)!r} to change")
            section[last] = value
        return parse_recipe(content, "the changed recipe")


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: the file cannot be read, is no YAML, or breaks the form; every fault is named, and unknown keys
            come with the nearest known one.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"recipe {path} cannot be read: {error}") from error
    return parse_recipe(content, f"recipe {path}")


def parse_recipe(content: object, name: str) -> Recipe:
    """Check a recipe's content; ``name`` tells it in errors.

    Raises:
        RecipeError: it is invalid.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(_describe(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise RecipeError(f"{name} is invalid: {faults}") from error


def _part(section: Any, name: str) -> Any:
    """The part of a mapping under a name, or of a list at a number; None where there is none."""
    if isinstance(section, list) and name.isdecimal():
        return section[int(name)] if int(name) < len(section) else None
    return section.get(name) if isinstance(section, dict) else None


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    place = ".".join(str(part) for part in location) or "the whole"
    if kind not in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{place}: {message[0].lower()}{message[1:]}"
    known = _fields_at(location[:-1])
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"{place} is unknown" + (f"; did you mean {near[0]!r}?" if near else f"; known are: {', '.join(known)}")


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the section at a location."""
    section: type = Recipe
    for part in location:
        if isinstance(part, str):
            section = _section_type(get_type_hints(section)[part]) or section
    return [name for name in get_type_hints(section) if name not in ("model_config", "__pydantic_config__")]


def _section_type(annotation: Any) -> type | None:
    """The section inside an annotation such as ``Section``, ``Section | None`` or ``tuple[Section, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, (Section, Augmentation)):
        return annotation
    for inner in get_args(annotation):
        found = _section_type(inner)
        if found:
            return found
    return None
