"""What a comparison says, in words."""

from __future__ import annotations

from collections.abc import Sequence

from mien.comparison.analysis import BASELINE, MethodSummary
from mien.comparison.comparison import Comparison
from mien.comparison.contrasts import Contrast, contrast_all
from mien.comparison.estimates import LEAST_SEEDS, POWER
from mien.comparison.experiment import Figure


def conclude(comparison: Comparison, summaries: Sequence[MethodSummary]) -> str:
    """Say in plain words which differences from equal weighting are real, and which methods cannot be judged."""
    if not comparison.random:
        return f"The {comparison.seeds} starting points are no random sample: look at where the methods go from each."
    if BASELINE not in comparison.methods:
        return f"Nothing is said about differences, since {BASELINE} is not among the methods."
    rivals = [summary for summary in summaries if summary.method in comparison.methods and summary.method != BASELINE]
    if not rivals:
        return f"There is no method to compare with {BASELINE}."
    if comparison.seeds < LEAST_SEEDS:
        dead = ", ".join(summary.method for summary in summaries if summary.failed == comparison.seeds)
        return (
            f"{comparison.seeds} seeds are too few to call any difference from {BASELINE} real; "
            f"take {LEAST_SEEDS} or more.{f' Failed in every seed: {dead}.' if dead else ''}"
        )
    judged = [summary for summary in rivals if _pairs(summary) >= LEAST_SEEDS]
    left_out = _left_out(comparison, summaries, [summary for summary in rivals if summary not in judged])
    if not judged:
        return f"No method can be judged against {BASELINE}, for want of {LEAST_SEEDS} seeds that finished: {left_out}."
    among, last = (" of the judged methods", f" Not judged: {left_out}.") if left_out else ("", "")
    better, worse = (_real(judged, comparison.tasks, sign) for sign in (1, -1))
    number = sum(len(summary.contrasts) for summary in judged)
    basis = f"{comparison.seeds} seeds, paired, 95 % intervals that hold for all {number} comparisons together"
    found = tell_detectable([each for summary in judged for each in summary.contrasts.values()], comparison.tasks)
    if not better and not worse:
        none = f"None{among}" if among else "No method"
        return f"{none} differs from {BASELINE} by more than chance ({basis}). {found}{last}"
    return (
        f"{f'Better than {BASELINE}: {better}' if better else f'No method is better than {BASELINE}'}. "
        f"{f'Worse: {worse}' if worse else 'None is worse'}. "
        f"All other differences{among} are within chance ({basis}). {found}{last}"
    )


def tell_detectable(contrasts: Sequence[Contrast], figures: dict[str, Figure]) -> str:
    """Say what differences of each task the contrasts could have shown."""
    told = []
    for task, figure in figures.items():
        sizes = sorted(each.detectable for each in contrasts if each.task == task)
        if sizes:
            least, most = show(sizes[0], figure.unit), show(sizes[-1], figure.unit)
            told.append(f"{task} {most}" if least == most else f"{task} {least} to {most}")
    if not told:
        return ""
    return f"Differences that would have been found with a probability of {POWER:.0%}: {', '.join(told)}."


def warnings_of(comparison: Comparison) -> list[str]:
    """What a reader should know before trusting the comparison: optima on the edge of what was tried."""
    return [
        f"The best {choice.edge} of {entrant} lies on the edge of what was tried, also after widening: it may do "
        "better still."
        for entrant, choice in comparison.choices.items()
        if choice.edge
    ]


def tell_contrasts(comparison: Comparison) -> list[str]:
    """The named contrasts, each in a sentence."""
    sentences = []
    for each in contrast_all(comparison, comparison.contrasts) if comparison.random else []:
        figure = comparison.tasks[each.task]
        size = show(abs(each.difference.mean), figure.unit)
        head = f"{each.first} against {each.second} on {each.task}"
        if each.difference.n < LEAST_SEEDS:
            sentences.append(f"{head}: {each.difference.n} seeds are too few.")
        elif each.real:
            word = "better" if figure.sign * each.difference.mean > 0 else "worse"
            sentences.append(f"{head}: {word} by {size} (p {each.p:.2g}).")
        else:
            sentences.append(
                f"{head}: no difference shown (p {each.p:.2g}; {show(each.detectable, figure.unit)} would have been "
                f"found); the two are the same within {show(each.same_within, figure.unit)}."
            )
    return sentences


def _pairs(summary: MethodSummary) -> int:
    """In how many seeds neither the method nor the baseline failed."""
    return min((difference.n for difference in summary.differences.values()), default=0)


def _left_out(comparison: Comparison, summaries: Sequence[MethodSummary], unjudged: Sequence[MethodSummary]) -> str:
    """Name the methods with too few pairs, and how many seeds were lost."""
    seeds = comparison.seeds
    where = f" in it or in {BASELINE}" if any(each.failed for each in summaries if each.method == BASELINE) else ""
    return ", ".join(
        f"{summary.method} (failed in every seed)"
        if summary.failed == seeds
        else f"{summary.method} ({seeds - _pairs(summary)} of {seeds} seeds failed{where})"
        for summary in unjudged
    )


def _real(summaries: Sequence[MethodSummary], figures: dict[str, Figure], sign: int) -> str:
    """Name the methods and tasks whose difference is surely for the better (1) or the worse (-1), with its mean."""
    return ", ".join(
        f"{summary.method} on {task} by {show(abs(difference.mean), figures[task].unit)}"
        for summary in summaries
        for task, difference in summary.differences.items()
        if difference.excludes_zero and sign * figures[task].sign * difference.mean > 0
    )


def show(value: float, unit: str) -> str:
    """A figure as people read it.

    >>> show(0.9314, "%"), show(-1.23456, ""), show(2.0, "degrees")
    ('93.1 points', '-1.235', '2 degrees')
    """
    return f"{100 * value:.1f} points" if unit == "%" else f"{value:.4g} {unit}".rstrip()
