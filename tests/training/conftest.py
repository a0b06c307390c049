"""A small data set of drawn faces and a recipe that trains on it in seconds."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw


def draw_face(person: int, smile: bool, noise: np.random.Generator) -> Image.Image:
    """A face whose colour tells the person and whose mouth tells the expression."""
    picture = Image.new("RGB", (100, 100), (40 + 20 * person, 200 - 15 * person, 120))
    draw = ImageDraw.Draw(picture)
    x, y = noise.integers(-4, 5, 2)
    draw.ellipse((25 + x, 30 + y, 35 + x, 40 + y), fill="black")
    draw.ellipse((65 + x, 30 + y, 75 + x, 40 + y), fill="black")
    draw.arc((30 + x, 50 + y, 70 + x, 85 + y), 20 if smile else 200, 160 if smile else 340, fill="white", width=6)
    return picture


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labels.csv: 8 people with 4 photos each, some labels missing, one photo damaged."""
    root = tmp_path_factory.mktemp("faces")
    noise = np.random.default_rng(0)
    rows = []
    for person in range(8):
        for take in range(4):
            smile = bool(take % 2)
            draw_face(person, smile, noise).save(root / f"{person}-{take}.png")
            expression = "" if take == 3 else ("happiness" if smile else "neutral")
            rows.append([f"{person}-{take}.png", "" if take == 2 else f"person {person}", expression])
    (root / "damaged.png").write_bytes(b"no picture")
    rows.append(["damaged.png", "person 0", "neutral"])
    with (root / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "identity", "expression"], *rows])
    return root


@pytest.fixture
def content() -> dict[str, Any]:
    """A recipe as it would stand in a file."""
    return {
        "name": "small",
        "card": {"provenance": "drawn", "terms": "none"},
        "epochs": 2,
        "crop_size": 112,
        "checkpoint_every": 1,
        "average": 0.5,
        "sources": [
            {
                "data": "faces",
                "layout": "index",
                "per_batch": 8,
                "augmentation": {"flip": 0.5, "rotation": 5.0, "erase": 0.5, "blur": 0.5},
            }
        ],
        "network": {"split": 12, "frozen": 11, "dropout": 0.5},
        "tasks": {
            "identity": {"teacher": {"rows": 4}, "labels": {}},
            "expression": {"classes": ["neutral", "happiness"], "label_smoothing": 0.1},
        },
    }
