"""Pictures without a face, drawn by a program: a detector that finds one in them is wrong.

Twelve families (noise, textures, patterns, text, drawings, and round things with dots, which are the hardest) in many
sizes. A picture follows from its family, its number and the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]
Painter = Callable[[np.random.Generator, int, int], Image.Image]

PER_FAMILY = 44
"""Pictures of each family: 528 in all."""

SIZES = ((320, 240), (240, 320), (640, 480), (480, 640), (900, 600), (160, 160), (1200, 800), (600, 900), (1000, 300))
LARGE, EACH = (4000, 3000), 22
"""Size of every so many pictures: 12 megapixels."""

GREY = 3
"""Every so many pictures are grey."""

WORDS = ("ape", "bridge", "candle", "delta", "engine", "forest", "granite", "harbor", "island", "juniper", "kettle")


@dataclass(frozen=True, slots=True, eq=False)
class NonFace:
    """A picture without a face: its family and number, and ``uint8 (H, W, 3)`` RGB."""

    name: str
    pixels: Pixels


def non_faces(seed: int = 0, step: int = 1) -> Iterator[NonFace]:
    """Draw all pictures, or every ``step``-th of each family."""
    for family, paint in FAMILIES.items():
        for number in range(0, PER_FAMILY, step):
            rng = np.random.default_rng([seed, number, *family.encode()])
            width, height = LARGE if number % EACH == EACH - 1 else SIZES[number % len(SIZES)]
            picture = paint(rng, width, height).convert("L" if number % GREY == 0 else "RGB")
            yield NonFace(f"{family}-{number}", np.asarray(picture.convert("RGB")))


def _color(rng: np.random.Generator) -> Color:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _field(rng: np.random.Generator, width: int, height: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise in [0, 1] with about ``cells`` bumps along the longer side."""
    scale = max(width, height) / cells
    coarse = rng.random((max(2, round(height / scale)), max(2, round(width / scale))), np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)


def _fractal(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    cells = int(rng.integers(3, 9))
    octaves = [_field(rng, width, height, min(cells * 2**k, max(width, height))) / 2**k for k in range(6)]
    total = np.sum(octaves, axis=0)
    stretched: NDArray[np.float32] = (total - total.min()) / max(float(np.ptp(total)), 1e-6)
    return stretched


def _shaded(values: NDArray[np.floating], first: Color, second: Color) -> Image.Image:
    mixed = np.array(first) + values[..., None] * (np.array(second) - np.array(first, float))
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def _canvas(rng: np.random.Generator, width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGB", (width, height), _color(rng))
    return picture, ImageDraw.Draw(picture)


def noise(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """White noise of some grain, grey or colored."""
    grain, channels = int(rng.choice([1, 2, 4, 8, 16])), int(rng.choice([1, 3]))
    coarse = rng.integers(0, 256, (height // grain + 1, width // grain + 1, channels), dtype=np.uint8)
    return Image.fromarray(np.broadcast_to(coarse, (*coarse.shape[:2], 3)).copy()).resize((width, height))


def clouds(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Fractal noise between two colors."""
    return _shaded(_fractal(rng, width, height), _color(rng), _color(rng))


def marble(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Veins of stone or rings of wood: waves bent by fractal noise."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    rings = np.hypot(x - rng.random(), y - rng.random()) if rng.random() < 0.5 else x * rng.random() + y
    waves = np.sin(2 * pi * (rng.uniform(3, 20) * rings + rng.uniform(0.5, 3) * _fractal(rng, width, height)))
    return _shaded(waves / 2 + 0.5, _color(rng), _color(rng))


def weave(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Stripes, checks and plaids, at some angle."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    angle, rate = rng.uniform(0, pi), rng.uniform(4, 60)
    across, along = cos(angle) * x + sin(angle) * y, cos(angle) * y - sin(angle) * x
    first, second = np.sin(2 * pi * rate * across), np.sin(2 * pi * rate * rng.uniform(0.3, 2) * along)
    kind = rng.integers(3)
    values = first if kind == 0 else first * second if kind == 1 else (first > 0).astype(float) + (second > 0) - 1
    return _shaded(values / 2 + 0.5, _color(rng), _color(rng))


def bricks(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Walls and floors: rows of shaded tiles with joints."""
    picture, draw = _canvas(rng, width, height)
    tall = max(6, round(height / rng.uniform(4, 20)))
    wide, joint, base = round(tall * rng.uniform(1, 3)), max(1, tall // 12), np.array(_color(rng))
    for row, top in enumerate(range(0, height, tall)):
        for left in range(-(row % 2) * wide // 2, width, wide):
            shade = tuple((base + rng.integers(-30, 30)).clip(0, 255).tolist())
            draw.rectangle((left + joint, top + joint, left + wide - joint, top + tall - joint), fill=shade)
    return picture


def dots(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Polka dots and halftones."""
    picture, draw = _canvas(rng, width, height)
    step = max(6, round(max(width, height) / rng.uniform(8, 50)))
    ink, sizes = _color(rng), _field(rng, width, height, 6)
    for row, y in enumerate(range(0, height, step)):
        for x in range((row % 2) * step // 2, width, step):
            radius = step * (0.15 + 0.4 * float(sizes[y, min(x, width - 1)]))
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return picture


def text(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Lines of words, as on a page or a poster."""
    picture = Image.new("RGB", (width, height), (250, 248, 240) if rng.random() < 0.6 else _color(rng))
    draw, ink = ImageDraw.Draw(picture), (20, 20, 30) if rng.random() < 0.6 else _color(rng)
    y = 0.03 * height
    while y < height:
        size = max(8.0, max(width, height) / rng.choice([12, 25, 40, 60]))
        line = " ".join(rng.choice(WORDS, 14))
        draw.text((0.03 * width, y), line.title() if rng.random() < 0.3 else line, ink, ImageFont.load_default(size))
        y += 1.4 * size
    return picture


def rings(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Circles within circles, alone and side by side: targets, wheels, eyes of peacock feathers."""
    picture, draw = _canvas(rng, width, height)
    for _ in range(int(rng.integers(1, 12))):
        x, y, radius = rng.uniform(0, width), rng.uniform(0, height), max(width, height) * rng.uniform(0.03, 0.3)
        while radius > 2:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_color(rng))
            radius *= rng.uniform(0.5, 0.9)
    return picture


def shapes(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """An abstract painting: polygons, ellipses and lines."""
    picture, draw = _canvas(rng, width, height)
    for _ in range(int(rng.integers(10, 80))):
        corners = rng.uniform(0, 1, (3, 2)) * max(width, height) * rng.uniform(0.03, 0.4)
        corners += (rng.uniform(0, width), rng.uniform(0, height))
        box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
        kind = rng.integers(3)
        if kind == 0:
            draw.polygon([tuple(corner) for corner in corners.tolist()], fill=_color(rng))
        elif kind == 1:
            draw.ellipse(box, fill=_color(rng), outline=_color(rng))
        else:
            draw.line(box, fill=_color(rng), width=int(rng.integers(1, 1 + max(width, height) // 60)))
    return picture


def houses(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A drawn street: fronts with two windows and a door, roofs, trees and a sun."""
    picture, draw = _canvas(rng, width, height)
    draw.ellipse((0.8 * width, 0.05 * height, 0.92 * width, 0.05 * height + 0.12 * width), fill=(250, 220, 90))
    left = 0.0
    while left < width:
        wide = rng.uniform(0.15, 0.5) * height
        top, bottom = rng.uniform(0.3, 0.6) * height, 0.92 * height
        draw.rectangle((left, top, left + wide, bottom), fill=_color(rng), outline=(30, 30, 30))
        draw.polygon([(left, top), (left + wide / 2, top - 0.5 * wide), (left + wide, top)], fill=_color(rng))
        glass, tall = _color(rng), bottom - top
        for at in (0.15, 0.6):
            draw.rectangle(
                (left + at * wide, top + 0.2 * tall, left + (at + 0.25) * wide, top + 0.45 * tall), fill=glass
            )
        draw.rectangle((left + 0.4 * wide, top + 0.6 * tall, left + 0.6 * wide, bottom), fill=_color(rng))
        crown, radius = left + 1.3 * wide, 0.2 * wide
        draw.rectangle((crown - 0.05 * wide, bottom - wide, crown + 0.05 * wide, bottom), fill=(90, 60, 40))
        draw.ellipse((crown - radius, bottom - wide - radius, crown + radius, bottom - wide + radius), fill=_color(rng))
        left += 1.7 * wide
    return picture


def strokes(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Grass, fur and hatching: thousands of short lines that follow a field of directions."""
    picture, draw = _canvas(rng, width, height)
    angles, base = 2 * pi * _field(rng, width, height, 4), np.array(_color(rng))
    length = max(width, height) * rng.uniform(0.01, 0.05)
    for x, y in (rng.random((4000, 2)) * (width, height)).tolist():
        angle = float(angles[int(y), int(x)]) + rng.normal(0, 0.2)
        ink = tuple((base + rng.integers(-60, 60)).clip(0, 255).tolist())
        draw.line((x, y, x + length * cos(angle), y + length * sin(angle)), fill=ink, width=max(1, round(length / 12)))
    return picture


def objects(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Round and square things with holes, dots and slots: sockets, dice, buttons, clocks; softly lit."""
    picture, draw = _canvas(rng, width, height)
    side = max(width, height) / rng.uniform(2, 9)
    for top in np.arange(0.1 * side, height, 1.3 * side).tolist():
        for left in np.arange(0.1 * side, width, 1.3 * side).tolist():
            box, body, hole = (left, top, left + side, top + side), _color(rng), _color(rng)
            (draw.ellipse if rng.random() < 0.6 else draw.rectangle)(box, fill=body, outline=(40, 40, 40))
            for _ in range(int(rng.integers(1, 6))):
                x, y = left + side * rng.uniform(0.2, 0.7), top + side * rng.uniform(0.2, 0.7)
                size = side * rng.uniform(0.05, 0.2)
                draw.ellipse((x, y, x + size, y + size * rng.choice([0.4, 1.0])), fill=hole)
    light = np.asarray(picture) * (0.5 + 0.5 * _field(rng, width, height, 3)[..., None])
    return Image.fromarray(light.astype(np.uint8))


FAMILIES: dict[str, Painter] = {
    paint.__name__: paint
    for paint in (noise, clouds, marble, weave, bricks, dots, text, rings, shapes, houses, strokes, objects)
}
"""The families by name."""
