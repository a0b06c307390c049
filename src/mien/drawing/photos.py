"""Draw boxes and labels on photos, in sizes that suit the photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from mien.images import load_image
from mien.types import Box, Expression, Face

Colour = tuple[int, int, int]
Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
Rectangle = tuple[float, float, float, float]

COLOURS: dict[Expression, Colour] = {
    Expression.NEUTRAL: (224, 230, 236),
    Expression.HAPPINESS: (255, 205, 64),
    Expression.SADNESS: (112, 172, 255),
    Expression.SURPRISE: (255, 152, 82),
    Expression.FEAR: (196, 148, 255),
    Expression.DISGUST: (150, 214, 96),
    Expression.ANGER: (255, 112, 112),
    Expression.CONTEMPT: (86, 214, 200),
}
"""A light colour for each expression, so that dark text reads well on it."""

PLAIN: Colour = (224, 230, 236)
INK: Colour = (24, 26, 30)
SMALLEST_TEXT, LARGEST_TEXT = 0.015, 0.036
"""Height of the text, as a fraction of the photo's longer side; in between it follows the face."""

JPEG_QUALITY = 92

_MARK = b"annotated by mien"  # the comment of each picture, by which a later run knows that it may replace it


def annotate_file(source: Path, faces: Sequence[Face], target: Path) -> None:
    """Write an annotated copy of a photo as JPEG, upright.

    Raises:
        ImageError: the photo cannot be read.
        OSError: the picture cannot be written.
        FileExistsError: there is a picture of somebody else's making.
    """
    if target.exists() and not _is_ours(target):
        raise FileExistsError("it is no picture of mien's, and stays; choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = annotate(Image.fromarray(load_image(source)), faces)
    picture.save(target, format="JPEG", quality=JPEG_QUALITY, subsampling=0, comment=_MARK)


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return picture.info.get("comment") == _MARK
    except (OSError, ValueError):
        return False


def annotate(photo: Image.Image, faces: Sequence[Face], numbers: Sequence[int] | None = None) -> Image.Image:
    """Draw each face's box and label on a copy of an upright RGB photo.

    The faces are numbered as given, or, when there are several, in their order. A label keeps inside the picture and,
    if there is room, off the other labels.
    """
    picture = photo.copy()
    draw = ImageDraw.Draw(picture)
    longer = max(photo.size)
    for face in faces:
        _outline(draw, face.box, _colour(face), _line_width(face.box, longer))
    placed: list[Rectangle] = []
    for k, face in enumerate(faces):
        number = numbers[k] if numbers is not None else k + 1 if len(faces) > 1 else None
        text = _label(face) if number is None else f"{number}  {_label(face)}"
        height = min(max(face.box.height * 0.09, SMALLEST_TEXT * longer, 11), max(LARGEST_TEXT * longer, 11))
        font, width = ImageFont.load_default(height), _line_width(face.box, longer)
        placed.append(_plate(draw, face.box, text, _colour(face), font, width, placed))
    return picture


def output_names(names: Iterable[Path]) -> list[Path]:
    """Names for the annotated pictures: the photos' with the suffix ``.jpg``; a name that is taken gets a number.

    >>> [str(name) for name in output_names([Path("a.png"), Path("b.jpg"), Path("a.jpg")])]
    ['a.jpg', 'b.jpg', 'a-2.jpg']
    """
    taken: set[str] = set()
    chosen = []
    for name in names:
        candidate, number = name.with_suffix(".jpg"), 1
        while str(candidate).casefold() in taken:
            number += 1
            candidate = name.with_name(f"{name.stem}-{number}.jpg")
        taken.add(str(candidate).casefold())
        chosen.append(candidate)
    return chosen


def _colour(face: Face) -> Colour:
    return PLAIN if face.expression is None else COLOURS[face.expression.top]


def _line_width(box: Box, longer: int) -> int:
    return max(2, round(min(0.0032 * longer, 0.02 * box.height)))


def _label(face: Face) -> str:
    if face.expression is None:
        return "face"
    return f"{face.expression.top.value} {face.expression[face.expression.top]:.0%}"


def _outline(draw: ImageDraw.ImageDraw, box: Box, colour: Colour, width: int) -> None:
    """A rounded frame with a dark rim on both sides, so that it stands out from any background."""
    radius = 0.06 * max(1.0, min(box.width, box.height))
    rim = max(1, width // 3)
    edges = (box.left, box.top, box.right, box.bottom)
    if box.width <= 2 * width or box.height <= 2 * width:
        draw.rectangle(edges, outline=colour)
        return
    outer = (edges[0] - rim, edges[1] - rim, edges[2] + rim, edges[3] + rim)
    draw.rounded_rectangle(outer, radius + rim, outline=INK, width=width + 2 * rim)
    draw.rounded_rectangle(edges, radius, outline=colour, width=width)


def _plate(
    draw: ImageDraw.ImageDraw, box: Box, text: str, colour: Colour, font: Font, width: int, placed: list[Rectangle]
) -> Rectangle:
    """Write text on a filled plate above the box, or below or inside it where there is no room."""
    left, _, right, _ = draw.textbbox((0, 0), text, font=font)
    _, top, _, bottom = draw.textbbox((0, 0), "hp", font=font)  # one height, whatever letters the text has
    tall = bottom - top
    pad = 0.3 * tall
    size = (right - left + 2.4 * pad, tall + 1.4 * pad)
    frame = _place(draw.im.size, box, size, 1.5 * width, placed)
    draw.rounded_rectangle(frame, 0.22 * size[1], fill=colour, outline=INK, width=max(1, width // 3))
    draw.text((frame[0] + 1.2 * pad - left, frame[1] + 0.7 * pad - top), text, font=font, fill=INK)
    return frame


def _place(
    picture: tuple[int, int], box: Box, size: tuple[float, float], gap: float, placed: list[Rectangle]
) -> Rectangle:
    """Where a plate goes: the first free one of above, below, inside at the top, inside at the bottom."""
    width, height = size
    x = min(max(box.left, 2), max(2, picture[0] - width - 3))
    tops = (box.top - gap - height, box.bottom + gap, box.top + gap, box.bottom - gap - height)
    inside = [y for y in tops if 0 <= y <= picture[1] - height - 1] or [min(max(0, tops[0]), picture[1] - height - 1)]
    frames = [(x, y, x + width, y + height) for y in inside]
    return next((frame for frame in frames if not any(_overlap(frame, other) for other in placed)), frames[0])


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
