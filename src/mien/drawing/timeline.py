"""A plot of expressions over time, one band a person, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from mien.drawing.photos import COLOURS, INK
from mien.types import Expression

Points = Sequence[tuple[float, NDArray[np.float64]]]

WIDTH, LEFT, RIGHT = 960, 96, 16
BAND, GAP, TOP = 72, 14, 62
MOST_BANDS = 24
"""A page holds no more; the people with the most frames are shown."""

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#3a3f47}.title{font-size:16px;font-weight:600;fill:#181a1e}"
    ".axis{stroke:#b6bcc6;stroke-width:1}"
)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """One row of the plot.

    Attributes:
        label: who it is.
        tracks: for each of their tracks seconds and ``(C,)`` probabilities, in order of time.
        frames: how many frames stand behind it.
    """

    label: str
    tracks: Sequence[Points]
    frames: int


def timeline_svg(title: str, bands: Sequence[Band], names: Sequence[Expression], seconds: float) -> str:
    """Draw stacked probabilities over time.

    Args:
        title: a heading.
        bands: the rows; the longest `MOST_BANDS` of them are shown, in the order given.
        names: the C expressions.
        seconds: length of the video.

    Returns:
        A self-contained SVG document.
    """
    longest = sorted(range(len(bands)), key=lambda k: -bands[k].frames)[:MOST_BANDS]
    shown = [bands[k] for k in sorted(longest)]
    left_out = len(bands) - len(shown)
    bottom = TOP + max(1, len(shown)) * (BAND + GAP)
    note = f" · {left_out} more people are not shown" if left_out else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 40}" role="img">',
        f"<title>{escape(title)}: expressions over time</title><style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{bottom + 40}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}{note}</text>',
        *_legend(names),
        *(part for row, band in enumerate(shown) for part in _band(band, names, TOP + row * (BAND + GAP), seconds)),
        *([] if shown else [f'<text x="{LEFT}" y="{TOP + BAND / 2:.0f}">No face was found.</text>']),
        *_axis(bottom, seconds),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _legend(names: Sequence[Expression]) -> list[str]:
    parts, x = [], float(LEFT)
    for name in names:
        parts.append(f'<rect x="{x:.0f}" y="38" width="12" height="12" rx="2" fill="{_hex(name)}" {_RIM}/>')
        parts.append(f'<text x="{x + 17:.0f}" y="49">{name.value}</text>')
        x += 34 + 7.4 * len(name.value)
    return parts


def _band(band: Band, names: Sequence[Expression], top: float, seconds: float) -> list[str]:
    return [
        f'<text x="{LEFT - 10}" y="{top + BAND / 2 + 5:.0f}" text-anchor="end">{escape(band.label)}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{BAND}" fill="none" {_RIM}/>',
        *(polygon for points in band.tracks for polygon in _stack(points, names, top, seconds)),
    ]


def _stack(points: Points, names: Sequence[Expression], top: float, seconds: float) -> list[str]:
    times = np.array([time for time, _ in points])
    values = np.array([value for _, value in points]).reshape(len(times), len(names))
    if len(times) == 1:  # a single moment still gets a visible width
        times, values = np.array([times[0], times[0] + 0.004 * max(seconds, 1e-9)]), np.repeat(values, 2, axis=0)
    floors = np.concatenate([np.zeros((len(times), 1)), np.cumsum(values, axis=1)], axis=1)
    xs, ys = _x(times, seconds), top + BAND * (1 - np.clip(floors, 0, 1))
    parts = []
    for k, name in enumerate(names):
        edge = [*zip(xs, ys[:, k + 1], strict=True), *zip(xs[::-1], ys[::-1, k], strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
        parts.append(f'<polygon points="{path}" fill="{_hex(name)}"><title>{name.value}</title></polygon>')
    return parts


def _axis(bottom: float, seconds: float) -> list[str]:
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>']
    step = _step(seconds)
    for k in range(int(seconds / step + 1e-9) + 1):
        x = float(_x(np.array([k * step]), seconds)[0])
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{_clock(k * step, step)}</text>')
    return parts


def _step(seconds: float) -> float:
    """Seconds between two ticks: at most about ten of them."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
    return next((step for step in steps if seconds / step <= 10), 3600.0 * max(1, round(seconds / 36000)))


def _clock(time: float, step: float) -> str:
    """Seconds as a label.

    >>> _clock(0.5, 0.5), _clock(12, 2), _clock(90, 30)
    ('0.5 s', '12 s', '1:30')
    """
    if step < 1:
        return f"{time:.1f} s"
    return f"{time:.0f} s" if step < 10 else f"{time // 60:.0f}:{time % 60:02.0f}"


def _x(times: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    return LEFT + (WIDTH - LEFT - RIGHT) * np.clip(times / max(seconds, 1e-9), 0, 1)


def _hex(name: Expression) -> str:
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[name])


_RIM = 'stroke="#{:02x}{:02x}{:02x}" stroke-opacity="0.25"'.format(*INK)
