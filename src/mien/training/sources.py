"""The part of a recipe that says what is trained on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mien.datasets import READERS, Augmentation

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0, lt=2**63)]


class Section(BaseModel):
    """A part of a recipe; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupsRecipe(Section):
    """A committed list that divides a data set's people; photos of groups that are not named here are never read.

    Attributes:
        file: a CSV table with the columns ``identity`` and ``group``: its path, or the name of one in ``mien.recipes``.
        train: the group to train on.
        validation: the group to validate on: for the choice of the epoch, the threshold and the calibration; None for
            none.
        complete: whether the data set must have a photo of every listed person. Aligned crops may lack people in whose
            photos no face was found.
    """

    file: str
    train: str = "train"
    validation: str | None = "choose"
    complete: bool = True


class SourceRecipe(Section):
    """A data set to train on.

    Attributes:
        data: its name; where it lies is given when training starts (``--data NAME=FOLDER``).
        layout: how the folder is read, see `mien.datasets.READERS`.
        part: official part to take, or None for all.
        per_batch: how many of its photos are in every batch. An epoch is one pass over the first source; the others are
            repeated or cut as needed.
        validation: share kept for validation: of the people where they are known, else of the videos, else of the
            photos.
        groups: a list that divides the people instead, see `GroupsRecipe`.
        held_out: official parts whose photos must not be trained or validated on, even where they repeat inside
            ``part``.
        learn: which of its labels are used.
        blendshapes: an ``.npz`` file with the blendshapes of its photos, relative to its folder or to where training
            starts, see `mien.training.blendshapes.read_blendshapes`; None for none.
        augmentation: random changes of its photos.
        balance: how far rare expressions are drawn more often: a photo comes in proportion to the share of its
            expression in the set to the power ``-balance``. 0 draws all photos alike, 1 all expressions.
        class_weight: how far rare expressions count more in the expression loss: each expression's term is multiplied
            by its share of the set's votes to the power ``-class_weight``, scaled to a mean of 1. 0 counts all alike.
        weight: factor of its photos' expression loss.
    """

    data: str
    layout: str
    part: str | None = None
    per_batch: Count
    validation: Fraction = 0.0
    groups: GroupsRecipe | None = None
    held_out: tuple[str, ...] = ()
    learn: tuple[Literal["identity", "expression"], ...] = ("identity", "expression")
    blendshapes: str | None = None
    augmentation: Augmentation = Augmentation()
    balance: Fraction = 0.0
    class_weight: float = Field(default=0.0, ge=0)
    weight: Positive = 1.0

    @model_validator(mode="after")
    def _known_layout(self) -> SourceRecipe:
        if self.layout not in READERS:
            raise ValueError(f"layout {self.layout!r} is unknown; choose one of: {', '.join(READERS)}")
        if self.groups and self.validation:
            raise ValueError("groups say who is validated on; leave validation out")
        return self
