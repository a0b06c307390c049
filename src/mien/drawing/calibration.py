"""A calibration as a picture: SVG written by hand, for which no library is needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from mien.calibration.choice import Calibration
from mien.calibration.trials import Trials

Floats = NDArray[np.float64]

GENUINE, IMPOSTOR, INK, FAINT = "#0f766e", "#b45309", "#1f2933", "#d5dbe1"
"""Teal and amber: apart for the colour-blind too, and in grey."""

BINS = 60
LOWEST_RATE = 1e-5


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a diagram stands in the picture, and what its axes span; ``y`` grows upwards."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def at(self, x: float, y: float) -> str:
        """A point in the picture's coordinates."""
        return f"{self.x(x):.1f},{self.y(y):.1f}"

    def x(self, value: float) -> float:
        """Across, kept inside the frame."""
        low, high = self.x_range
        return self.left + self.width * min(max((value - low) / (high - low), 0.0), 1.0)

    def y(self, value: float) -> float:
        """Down, kept inside the frame."""
        low, high = self.y_range
        return self.top + self.height * (1 - min(max((value - low) / (high - low), 0.0), 1.0))


def calibration_svg(calibration: Calibration) -> str:
    """The distances of genuine and impostor pairs, and FAR and FRR over the threshold, as SVG text."""
    trials, threshold = calibration.trials, calibration.verification.threshold
    end = 1.05 * float(max(trials.distances.max(), threshold))
    heights = _histograms(trials, end)
    left = Frame(62, 74, 400, 270, (0, end), (0, 1.1 * max(h.max() for h in heights)))
    right = Frame(548, 74, 400, 270, (0, end), (np.log10(LOWEST_RATE), 0))
    parts = [
        _text(62, 28, f"Calibration of {calibration.model_id} for FAR {calibration.far_asked:g}", size=17, weight=600),
        _text(62, 48, f"{calibration.chosen_on}; grey: 95 % interval of the threshold", size=12),
        *_axes(left, [(0, "0")], "share of pairs"),
        *(_area(left, h, colour) for h, colour in zip(heights, (GENUINE, IMPOSTOR), strict=True)),
        *_legend(left.left + left.width - 90, left.top + 8, [("genuine", GENUINE), ("impostor", IMPOSTOR)]),
        *_axes(right, [(k, f"{10.0**k:g}") for k in range(-4, 1)], "rate"),
        *_curves(right, calibration),
        *_legend(right.left + 10, right.top + right.height - 44, [("FRR", GENUINE), ("FAR", IMPOSTOR)]),
        _line(right, (0, end), (np.log10(calibration.far_asked),) * 2, IMPOSTOR, dash="2 4"),
        *(_threshold(frame, calibration) for frame in (left, right)),
    ]
    warnings = [line for text in calibration.warnings for line in wrap(f"Warning: {text}", 140)]
    parts += [_text(62, 404 + 17 * k, line, size=12, fill="#b91c1c") for k, line in enumerate(warnings)]
    height = 404 + 17 * len(warnings)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 990 {height}" font-family="sans-serif" role="img" '
        f'aria-label="Distances of genuine and impostor pairs, false acceptance and false rejection rate">\n'
        f'<rect width="990" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _histograms(trials: Trials, end: float) -> list[Floats]:
    found = []
    for kind in (trials.same, ~trials.same):
        counts = np.histogram(trials.distances[kind], BINS, (0, end))[0]
        found.append(counts / counts.sum())
    return found


def _area(frame: Frame, heights: Floats, colour: str) -> str:
    edges = np.linspace(*frame.x_range, len(heights) + 1)
    points = [frame.at(0, 0)]
    for low, high, share in zip(edges[:-1], edges[1:], heights, strict=True):
        points += [frame.at(low, share), frame.at(high, share)]
    points.append(frame.at(edges[-1], 0))
    return f'<polygon points="{" ".join(points)}" fill="{colour}" fill-opacity="0.35" stroke="{colour}"/>'


def _curves(frame: Frame, calibration: Calibration) -> Iterable[str]:
    """Steps: a rate holds from its threshold to the next; those that cannot be told apart are left out.

    A rate of 0 lies on the lower edge.
    """
    curve = calibration.verification.curve
    for rates, colour in ((1 - curve.tar, GENUINE), (curve.far, IMPOSTOR)):
        levels = np.log10(np.maximum(rates, LOWEST_RATE))
        pixels = np.round(frame.height * levels / np.log10(LOWEST_RATE))
        chosen = np.flatnonzero(np.diff(pixels, prepend=-1))
        places = np.append(np.maximum(curve.thresholds[chosen], 0), frame.x_range[1])
        levels = levels[chosen]
        steps = [frame.at(x, y) for k, y in enumerate(levels) for x in places[k : k + 2]]
        yield f'<polyline points="{" ".join(steps)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _threshold(frame: Frame, calibration: Calibration) -> str:
    choice = calibration.verification
    low, high = frame.x(choice.threshold_interval.low), frame.x(choice.threshold_interval.high)
    x, bottom = frame.x(choice.threshold), frame.top + frame.height
    return (
        f'<rect x="{low:.1f}" y="{frame.top}" width="{max(high - low, 1):.1f}" height="{frame.height}" fill="{INK}" '
        f'fill-opacity="0.08"/><line x1="{x:.1f}" x2="{x:.1f}" y1="{frame.top}" y2="{bottom}" stroke="{INK}" '
        f'stroke-width="1.5"/>' + _text(x, frame.top - 6, f"threshold {choice.threshold:.3f}", size=12, anchor="middle")
    )


def _axes(frame: Frame, marks: Sequence[tuple[float, str]], label: str) -> Iterable[str]:
    bottom = frame.top + frame.height
    for value, text in marks:
        yield _line(frame, frame.x_range, (value, value), FAINT)
        yield _text(frame.left - 6, frame.y(value) + 4, text, size=11, anchor="end")
    for value in _round_marks(frame.x_range[1]):
        x = frame.x(value)
        yield _text(x, bottom + 17, f"{value:g}", size=11, anchor="middle")
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="{INK}"/>'
    yield f'<path d="M{frame.left},{frame.top} V{bottom} H{frame.left + frame.width}" fill="none" stroke="{INK}"/>'
    yield _text(frame.left + frame.width / 2, bottom + 36, "distance", size=12, anchor="middle")
    middle = frame.top + frame.height / 2
    turned = f'<g transform="rotate(-90 {frame.left - 42} {middle})">'
    yield turned + _text(frame.left - 42, middle, label, size=12, anchor="middle") + "</g>"


def _round_marks(end: float) -> Floats:
    """About five round numbers from 0 to ``end``."""
    rough = end / 5
    unit = 10.0 ** np.floor(np.log10(rough))
    step = unit * min((1, 2, 5, 10), key=lambda k: abs(k * unit - rough))
    return np.arange(0, end, step)


def _legend(x: float, top: float, entries: Sequence[tuple[str, str]]) -> Iterable[str]:
    for k, (name, colour) in enumerate(entries):
        y = top + 18 * k
        yield f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>' + _text(x + 18, y + 10, name, size=12)


def _line(frame: Frame, xs: tuple[float, float], ys: tuple[float, float], colour: str, dash: str = "") -> str:
    a, b = frame.at(xs[0], ys[0]).split(","), frame.at(xs[1], ys[1]).split(",")
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}" stroke="{colour}"{style}/>'


def _text(
    x: float, y: float, text: str, *, size: int, anchor: str = "start", weight: int = 400, fill: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{fill}">{escape(text)}</text>'
    )
