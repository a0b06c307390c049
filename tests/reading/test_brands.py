from __future__ import annotations

import io

import numpy as np
import pytest
from made_photos import encoded, picture
from PIL import features

from mien.errors import ImageError
from mien.images import load_image
from mien.reading.brands import iso_kind


def box(major, *compatible):
    brands = b"".join(compatible)
    return (16 + len(brands)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + brands


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (box(b"avif", b"mif1", b"miaf"), "avif"),
        (box(b"heic", b"mif1", b"heic"), "heif"),
        (box(b"mif1", b"avif", b"mif1", b"miaf"), "avif"),
        (box(b"mif1", b"mif1", b"heic"), "heif"),
        (box(b"mif1", b"heic", b"avif"), "heif"),
        (box(b"msf1", b"avis", b"avif"), "avif"),
        (box(b"mif1"), "heif"),
        (box(b"isom", b"avif"), None),
        (box(b"mp42", b"isom"), None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_who_reads_a_file(head, kind):
    assert iso_kind(head) == kind


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_whose_first_brand_is_the_general_one():
    data = encoded(picture(), "AVIF")
    assert data[8:12] == b"avif"
    compatible = data[16 : int.from_bytes(data[:4], "big")]
    assert b"avif" in compatible
    general = data[:8] + b"mif1" + data[12:]
    np.testing.assert_array_equal(load_image(general), load_image(data))


def test_heif_of_another_compression_is_named_so():
    pillow_heif = pytest.importorskip("pillow_heif")
    avif = encoded(picture(), "AVIF")
    with pytest.raises(ImageError, match=r"HEIF (photo of a compression|file without a photo).*; convert it to JPEG"):
        load_image(avif[:8] + b"heic" + avif[12:])
    stream = io.BytesIO()
    from PIL import Image

    pillow_heif.from_pillow(Image.fromarray(picture())).save(stream)
    with pytest.raises(ImageError, match="HEIF file without a photo that can be read; convert it to JPEG"):
        load_image(stream.getvalue().replace(b"hvc1", b"vvc1"))
