from __future__ import annotations

import pytest

from mien import shipped


def test_a_gallery_of_a_model_that_is_no_longer_shipped_is_told_the_way_out(monkeypatch):
    monkeypatch.setattr(shipped, "SHIPPED", {"mien-s1": "mien-s1.onnx"})
    said = shipped.other_model("people.db", "mien-r29-d2b8b6eab8ed", "mien-s1-0123456789ab")
    assert said == (
        "people.db holds embeddings of mien-r29-d2b8b6eab8ed, which mien-s1-0123456789ab cannot compare: that model "
        "came with mien up to version 0.1; enroll the people's photos into a new gallery, install mien 0.1, or give "
        "that model's file with --model"
    )


@pytest.mark.parametrize("holds", ["mine-0123456789ab", "mine"])
def test_any_other_model_is_asked_for_by_its_file(holds):
    said = shipped.other_model("people.db", holds, "mien-s1-0123456789ab")
    assert said == (
        f"people.db holds embeddings of {holds}, which mien-s1-0123456789ab cannot compare; give that model's file "
        "with --model, or enroll the people's photos into a new gallery"
    )
