"""Random views of face crops, made for a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes; each is drawn evenly and anew for every image. All 0 leaves the images as they are.

    One geometric range covers both kinds of crops: aligned ones, and loose ones, whose eyes may lie anywhere.

    Attributes:
        flip: probability of a mirror image.
        rotation: largest turn, in degrees.
        scale: largest change of size, as a natural logarithm.
        aspect: largest change of the ratio of width to height, as a natural logarithm.
        shear: largest shear, as a fraction of the side.
        shift: largest shift, as a fraction of half the side.
        contrast: largest change of contrast, as a natural logarithm.
        brightness: largest change of brightness, of 255.
        tint: largest change of each colour channel, as a natural logarithm; it also colours grey photos.
        blur: probability of a blur (by shrinking to between a quarter and the whole of the side and back).
        erase: probability of a grey rectangle, 0.15 to 0.35 of the side wide and high.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # recipes are checked by these fields

    flip: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    aspect: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    tint: float = 0.0
    blur: float = 0.0
    erase: float = 0.0

    def __call__(self, images: Tensor, size: int, generator: torch.Generator) -> Tensor:
        """Draw one view of each image.

        Args:
            images: uint8 ``(N, C, S, S)`` with 1 or 3 channels.
            size: side of the views in pixels.
            generator: the only source of randomness, of the CPU: it draws the same views for every device.

        Returns:
            RGB float32 ``(N, 3, size, size)`` of 0 to 255, on the images' device.
        """
        views = self._warp(images.float(), size, generator)
        views = self._blur(views, generator)
        views = self._recolour(views, generator)
        return self._erase(views, generator)

    def _warp(self, images: Tensor, size: int, generator: torch.Generator) -> Tensor:
        count = len(images)

        def draw(limit: float) -> Tensor:
            return _uniform(count, -limit, limit, generator)

        angle, zoom, aspect = draw(math.radians(self.rotation)), draw(self.scale).exp(), draw(self.aspect).exp()
        shear, x, y = draw(self.shear), draw(self.shift), draw(self.shift)
        mirror = 1 - 2 * _happens(count, self.flip, generator).float()
        cos, sin = angle.cos() * zoom, angle.sin() * zoom
        matrix = torch.stack(
            [
                torch.stack([cos * aspect * mirror, -sin + shear * zoom, x], dim=1),
                torch.stack([sin * mirror, cos / aspect, y], dim=1),
            ],
            dim=1,
        ).to(images.device)
        grid = F.affine_grid(matrix, [count, 1, size, size], align_corners=False)
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def _blur(self, views: Tensor, generator: torch.Generator) -> Tensor:
        if not self.blur:
            return views
        chosen = _happens(len(views), self.blur, generator).nonzero()[:, 0].to(views.device)
        fraction = float(torch.empty(()).uniform_(0.25, 1.0, generator=generator))
        size = views.shape[-1]
        small = F.interpolate(views[chosen], size=max(1, round(size * fraction)), mode="bilinear", antialias=True)
        views[chosen] = F.interpolate(small, size=size, mode="bilinear")
        return views

    def _recolour(self, views: Tensor, generator: torch.Generator) -> Tensor:
        count = len(views)
        contrast = _uniform(count, -self.contrast, self.contrast, generator).exp()[:, None, None, None]
        brightness = 255 * _uniform(count, -self.brightness, self.brightness, generator)[:, None, None, None]
        tint = _uniform(count * 3, -self.tint, self.tint, generator).exp().view(count, 3, 1, 1)
        mean = views.mean(dim=(1, 2, 3), keepdim=True)
        contrast, brightness, tint = (change.to(views.device) for change in (contrast, brightness, tint))
        return (((views - mean) * contrast + mean + brightness) * tint).clamp(0, 255)

    def _erase(self, views: Tensor, generator: torch.Generator) -> Tensor:
        if not self.erase:
            return views
        count, size = len(views), views.shape[-1]
        pixel = torch.arange(size) / size

        def inside() -> Tensor:
            centre = _uniform(count, 0.0, 1.0, generator)[:, None]
            return (pixel - centre).abs() < _uniform(count, 0.075, 0.175, generator)[:, None]

        chosen = _happens(count, self.erase, generator)[:, None, None]
        mask = inside()[:, :, None] & inside()[:, None, :] & chosen
        return torch.where(mask[:, None].to(views.device), views.mean(dim=(1, 2, 3), keepdim=True), views)


def plain_view(images: Tensor, size: int) -> Tensor:
    """The images as they are: RGB float32 ``(N, 3, size, size)`` of 0 to 255.

    Args:
        images: uint8 ``(N, C, S, S)`` with 1 or 3 channels.
        size: side of the views in pixels.
    """
    views = images.float()
    if views.shape[-1] != size:
        views = F.interpolate(views, size=(size, size), mode="bilinear", antialias=True)
    return views.expand(-1, 3, -1, -1)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=generator) if high > low else torch.full((count,), low)


def _happens(count: int, probability: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < probability
