from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
import torch
from PIL import Image

from mien.errors import ModelError
from mien.networks import Backbone, find_dlib_resnet, read_dlib_resnet, resnet29
from mien.networks.resnet29 import Affine, ResidualBlock


def test_embeddings_equal_dlibs_own(pretrained: Backbone, examples: Path) -> None:
    folder = find_dlib_resnet().parent
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
    encoder = dlib.face_recognition_model_v1(str(find_dlib_resnet()))
    compared = 0
    for path in sorted(examples.glob("*.jpg")):
        photo = np.asarray(Image.open(path))
        for rectangle in detector(photo, 1):
            chip = dlib.get_face_chip(photo, predictor(photo, rectangle), 150, 0.25)
            with torch.no_grad():
                ours = pretrained(torch.from_numpy(chip).permute(2, 0, 1)[None].float())[0].numpy()
            np.testing.assert_allclose(ours, np.array(encoder.compute_face_descriptor(chip)), rtol=0, atol=1e-5)
            compared += 1
    assert compared >= 3


def test_it_has_29_convolutions() -> None:
    assert sum(isinstance(module, torch.nn.Conv2d) for module in resnet29().modules()) == 29


def test_stages_are_numbered_as_documented() -> None:
    x = torch.zeros(1, 3, 150, 150)
    shapes = [x.shape]
    for stage in resnet29().stages:
        x = stage(x)
        shapes.append(x.shape)
    assert tuple(shapes[8][1:]) == (64, 17, 17)
    assert tuple(shapes[11][1:]) == (128, 8, 8)
    assert tuple(shapes[15][1:]) == (256, 2, 2)


def test_down_block_pads_the_smaller_side_at_the_end() -> None:
    block = ResidualBlock(1, 2, down=True)
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.ones(1, 1, 6, 6)  # the convolution gives 2x2, the pooled skip 3x3; the second channel has no skip
    expected = torch.stack([torch.ones(3, 3), torch.zeros(3, 3)])
    torch.testing.assert_close(block(x)[0], expected)


def test_affine_scales_and_shifts() -> None:
    affine = Affine(2)
    torch.nn.init.constant_(affine.weight, 3.0)
    affine.bias.data = torch.tensor([1.0, -1.0])
    x = torch.randn(2, 2, 3, 3)
    torch.testing.assert_close(affine(x), 3 * x + torch.tensor([1.0, -1.0])[:, None, None])


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped name"])
def test_a_damaged_file_is_one_clear_error(damage: str, tmp_path: Path) -> None:
    data = find_dlib_resnet().read_bytes()
    content = {
        "empty": b"",
        "text": b"no weights at all",
        "cut": data[: len(data) // 2],
        "flipped name": data.replace(b"affine_", b"affinx_", 1),
    }[damage]
    path = tmp_path / "weights.dat"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.dat is not dlib's face ResNet"):
        read_dlib_resnet(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not dlib's face ResNet"):
        read_dlib_resnet(tmp_path / "none.dat")
