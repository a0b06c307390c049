"""The shipped model on the example photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien import Mien
from mien.alignment import ARCFACE_TEMPLATE
from mien.types import Expression


@pytest.fixture(scope="module")
def mien() -> Mien:
    return Mien()


def test_the_same_person_and_another(mien: Mien, examples: Path) -> None:
    assert mien.verify(examples / "obama.jpg", examples / "obama2.jpg").same
    assert not mien.verify(examples / "obama.jpg", examples / "biden.jpg").same


def test_the_official_portrait_is_happy(mien: Mien, examples: Path) -> None:
    (face,) = mien.analyze(examples / "obama.jpg")
    assert face.expression is not None
    assert face.expression.top is Expression.HAPPINESS
    assert face.expression[Expression.HAPPINESS] > 0.5


def test_the_contract_is_that_of_its_training(mien: Mien) -> None:
    contract = mien.contract
    assert contract.model_id.startswith("mien-s1-")
    assert contract.template == ARCFACE_TEMPLATE
    assert contract.expressions == tuple(Expression)[:7]
    assert contract.threshold is not None
    assert contract.threshold.far == 1e-3
    assert "FER2013" in contract.provenance
    assert "Apache-2.0" in contract.terms


def test_the_package_stays_small() -> None:
    folder = Path(__file__).parent.parent / "src" / "mien" / "pretrained"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 60e6
