from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_trees import EXPRESSIONS, NAMES, grow_ytf

from mien.datasets import LAYOUTS, READERS, Sample, read_pairs
from mien.errors import DataError
from mien.evaluation import PairKind
from mien.reproduction.trials import ExpressionTrial, PairTrial
from mien.types import Expression


def test_a_fold_of_eight_people_of_oulu_casia_has_the_official_pairs() -> None:
    """Six sequences a person, the first frame neutral and the last three with the expression."""
    samples = [
        Sample(f"P{person}/{name}/{frame}", Path("x"), f"P{person}", Expression(NAMES[name] if frame else "neutral"))
        for person in range(8)
        for name in EXPRESSIONS
        for frame in range(4)
    ]
    trial = ExpressionTrial.of(samples, [NAMES[name] for name in EXPRESSIONS], neutral_answers=False)
    assert len(trial.pairs) == 384
    assert trial.pairs.counts() == dict.fromkeys(PairKind, 96)
    assert int((trial.labels >= 0).sum()) == 144
    assert trial.same.sum() == 192


def test_only_classes_are_asked_for() -> None:
    samples = [
        Sample(f"{person}/{expression}", Path("x"), person, expression)
        for person in ("ada", "grace", "joan")
        for expression in (Expression.NEUTRAL, Expression.HAPPINESS, Expression.SURPRISE)
    ]
    trial = ExpressionTrial.of(samples, ["neutral", "happiness"], neutral_answers=True)
    assert trial.pairs.names == ("happiness",)
    assert set(trial.pairs.required.tolist()) == {0}
    with pytest.raises(DataError, match="none of happiness, surprise is among neutral, anger"):
        ExpressionTrial.of(samples, ["neutral", "anger"], neutral_answers=True)


@pytest.mark.parametrize("unit_length", [False, True])
def test_videos_are_compared_by_the_means_of_their_frames(tmp_path: Path, unit_length: bool) -> None:
    root = grow_ytf(tmp_path, 20)
    layout = LAYOUTS["ytf"]
    samples, pairs = READERS["ytf"](root), read_pairs(layout, root)
    trial = PairTrial.of(samples, pairs)
    assert len(trial.same) == 40
    points = np.random.default_rng(0).normal(size=(len(samples), 5))
    distances = trial.distances(points, unit_length=unit_length)

    def mean(video: str) -> np.ndarray:
        rows = [
            row
            for row, sample in enumerate(samples.samples)
            if video == sample.name.split("/", 1)[-1].rsplit("/", 1)[0]
        ]
        middle = points[rows].mean(axis=0)
        return middle / np.linalg.norm(middle) if unit_length else middle

    expected = [np.linalg.norm(mean(pair.first) - mean(pair.second)) for pair in pairs]
    assert distances == pytest.approx(expected)
    same = np.where(trial.same, 0.1, 0.9)
    assert trial.accuracy(same) == 1
