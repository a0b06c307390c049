from __future__ import annotations

import numpy as np
import pytest

from mien.comparison import (
    Candidate,
    Choice,
    Comparison,
    Curves,
    Epoch,
    Figure,
    Plan,
    Run,
    contrast_all,
    tell_contrasts,
    warnings_of,
)

ERROR = Figure("error", "degrees", higher_is_better=False)


def comparison(figures: dict[str, np.ndarray], contrasts=(), samples=None, edge: str = "") -> Comparison:
    runs = {
        method: [
            Run(
                Plan(method, 0.1, seed),
                [Epoch({"a": value}, {"a": value})],
                Curves([1], {}, {}, [[]]),
                1.0,
                samples={"a": samples[method][seed].tolist()} if samples else {},
            )
            for seed, value in enumerate(values.tolist())
        ]
        for method, values in figures.items()
    }
    choices = {method: Choice(Candidate(method, 0.1), {}, edge) for method in figures}
    seeds = len(next(iter(figures.values())))
    return Comparison("x", {}, {"a": ERROR}, "f", seeds, True, choices, runs, contrasts=tuple(contrasts))


def test_any_two_methods_are_contrasted_and_told_in_the_direction_of_the_figure() -> None:
    noise = np.random.default_rng(0).normal(size=(3, 12))
    found = comparison(
        {"one": 5 + noise[0], "two": 3 + noise[0] + 0.1 * noise[1], "three": 5 + noise[0] + 0.1 * noise[2]},
        [("two", "one"), ("three", "one")],
    )
    better, same = contrast_all(found, found.contrasts)
    assert better.real
    assert better.difference.mean == pytest.approx(-2, abs=0.1)
    assert not same.real
    assert same.same_within < 0.2
    sentences = tell_contrasts(found)
    assert sentences[0].startswith("two against one on a: better by 2")
    assert "no difference shown" in sentences[1]
    assert "would have been found" in sentences[1]
    assert sentences[1].count("degrees") == 2


def test_few_seeds_make_no_sentence_of_a_difference() -> None:
    found = comparison({"one": np.ones(4), "two": np.arange(4.0)}, [("two", "one")])
    assert tell_contrasts(found) == ["two against one on a: 4 seeds are too few."]


def test_figures_of_samples_give_a_second_interval() -> None:
    random = np.random.default_rng(1)
    hard = random.normal(size=100)
    samples = {name: random.normal(size=(10, 100)) + shift * hard for name, shift in (("one", 0), ("two", 1))}
    found = comparison({name: rows.mean(axis=1) for name, rows in samples.items()}, [("two", "one")], samples)
    (contrast,) = contrast_all(found, found.contrasts)
    assert contrast.sampled.mean == pytest.approx(contrast.difference.mean)
    assert contrast.sampled.high - contrast.sampled.low > contrast.difference.high - contrast.difference.low


def test_an_optimum_on_the_edge_is_a_warning() -> None:
    (warning,) = warnings_of(comparison({"one": np.ones(4)}, edge="learning rate 10"))
    assert warning.startswith("The best learning rate 10 of one lies on the edge")
