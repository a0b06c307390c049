from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mien.training.views import StoredView


def test_what_was_written_is_read_and_found_again(tmp_path: Path) -> None:
    stored = StoredView(tmp_path, ["a"], (5, 2, 3))
    values = torch.arange(30.0).view(5, 2, 3).bfloat16()
    assert not stored.complete
    with stored.writing() as array:
        array.copy_(values)
    assert StoredView(tmp_path, ["a"], (5, 2, 3)).complete
    assert torch.equal(StoredView(tmp_path, ["a"], (5, 2, 3)).read(), values)


def test_an_interrupted_view_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    stored = StoredView(tmp_path, ["a"], (4, 2))
    with pytest.raises(KeyboardInterrupt), stored.writing() as array:
        array[:2] = 1
        raise KeyboardInterrupt
    assert not stored.complete


@pytest.mark.parametrize(("key", "shape"), [(["b"], (5, 2)), (["a", ""], (5, 2)), (["a"], (2, 5))])
def test_another_key_or_shape_is_another_view(tmp_path: Path, key: list[str], shape: tuple[int, int]) -> None:
    with StoredView(tmp_path, ["a"], (5, 2)).writing():
        pass
    assert not StoredView(tmp_path, key, shape).complete
