"""Frames of a camera, a clip or a client through the network and the state machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Mien
from mien.authentication.machine import advance
from mien.authentication.observation import observe
from mien.authentication.state import State
from mien.detection import AS_IT_IS
from mien.errors import AuthenticationError
from mien.images import ImageSource


def watch(
    mien: Mien, frames: Iterable[tuple[float, ImageSource]], references: NDArray[np.floating], state: State
) -> Iterator[State]:
    """Look at frames as they come, until the challenge ends or no frame is left.

    A frame is looked at as it is, never turned or with a repeated border: the next one comes soon.

    Args:
        mien: with the model that the challenge names.
        frames: time in seconds of the challenge's clock, and picture.
        references: ``(K, D)`` embeddings of the person claimed.
        state: where the challenge stands.

    Yields:
        The state after each frame. Where frames run out before the end, see `mien.authentication.end`.

    Raises:
        AuthenticationError: model, references and challenge do not belong together.
        ImageError: a frame cannot be read.
    """
    if mien.contract.model_id != state.challenge.model_id:
        raise AuthenticationError(
            f"the challenge is for model {state.challenge.model_id}, not {mien.contract.model_id}; begin a new one"
        )
    if state.outcome is not None:
        return
    for time, image in frames:
        state = advance(state, observe(time, mien.analyze(image, ways=AS_IT_IS), references))
        yield state
        if state.outcome is not None:
            return
