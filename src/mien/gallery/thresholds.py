"""The distances that a gallery decides by, and where they come from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from mien.contract import Contract
from mien.errors import GalleryError, ModelError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Distances up to which faces count as the same person.

    Attributes:
        model_id: the model whose embeddings they are for.
        verification: for two photos.
        identification: for a photo against a gallery.
        far: the false acceptance rate that was asked for, in [0, 1].
        chosen_on: the data and protocol they were chosen on, in words.
        gallery_size: how many people the gallery had for which ``identification`` was chosen; 0: chosen for pairs.
    """

    model_id: str
    verification: float
    identification: float
    far: float
    chosen_on: str
    gallery_size: int = 0

    @classmethod
    def of_model(cls, contract: Contract) -> Thresholds:
        """The model's recommendation, which is for pairs, for both uses.

        Raises:
            GalleryError: the model recommends none.
        """
        try:
            own = contract.require_thresholds().default
        except ModelError as error:
            raise GalleryError(str(error)) from None  # a cause would say that the file fails
        return cls(contract.model_id, own.distance, own.distance, own.far, f"the model's choice: {own.chosen_on}")

    def to_json(self) -> str:
        """Serialise."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Thresholds:
        """The inverse of `to_json`."""
        return cls(**json.loads(text))
