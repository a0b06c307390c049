from __future__ import annotations

import numpy as np
import pytest

from mien.evaluation import Quirk, scored_pairs


def test_the_official_code_scores_350_of_384_and_200_of_206_pairs() -> None:
    assert (scored_pairs(384), scored_pairs(206), scored_pairs(49)) == (350, 200, 0)


@pytest.mark.parametrize("pairs", range(40, 320, 7))
def test_only_full_batches_are_scored(pairs: int) -> None:
    images = np.arange(2 * pairs)
    batches = [images[start : start + 100] for start in range(0, len(images), 100)]
    assert scored_pairs(pairs) == sum(len(batch) for batch in batches if len(batch) == 100) // 2


def test_every_quirk_says_what_the_official_code_does() -> None:
    assert all(quirk.meaning for quirk in Quirk)
    assert {quirk.value for quirk in Quirk} == {"best-on-test", "unordered-folds", "dropped-batch", "product"}
