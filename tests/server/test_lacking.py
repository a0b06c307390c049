"""Models that lack something: expressions, or a recommended threshold."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from services import ADA, enrol, problem
from starlette.testclient import TestClient

from mien.gallery import Thresholds
from mien.server import Settings, create_app
from mien.server.run import check

BOTH = ("embedding", "expression")


@pytest.fixture
def lacking(tiny_model, tiny_contract, tmp_path):
    """Start the application with a tiny model whose contract is changed; gives a client."""

    @contextmanager
    def start(*outputs, **changes):
        contract = replace(tiny_contract.without(*outputs), **changes)
        outputs = BOTH if contract.expressions else BOTH[:1]
        settings = Settings(gallery=tmp_path / "people.db", model=str(tiny_model(contract, outputs=outputs)))
        check(settings)
        with TestClient(create_app(settings), base_url="http://localhost") as client:
            yield client

    return start


def calibrate(client):
    """As `mien calibrate --gallery` does."""
    client.app.state.service.gallery.thresholds = Thresholds("tiny-1", 100.0, 100.0, 0.01, "a test")


def challenge(client):
    return client.post("/v1/challenges", json={"person": ADA})


def test_identity_alone_is_served(lacking, photo):
    with lacking("expression", thresholds=None) as client:
        assert client.get("/v1/ready").status_code == 200
        assert client.get("/v1/service").json()["expressions"] == []
        (face,) = client.post("/v1/analyze", files={"photo": photo("obama")}).json()["faces"]
        assert (face["expression"], face["probabilities"]) == (None, None)
        pair = {"a": photo("obama"), "b": photo("obama2")}
        assert "calibrate" in problem(client.post("/v1/verify", files=pair), 422, "request_invalid")["detail"]
        assert client.post("/v1/verify?threshold=1", files=pair).json()["threshold"] == 1
        one = {"photo": photo("obama")}
        assert "calibrate" in problem(client.post("/v1/identify", files=one), 422, "request_invalid")["detail"]
        assert client.post("/v1/identify?threshold=1", files=one).json()["faces"][0]["known"] is None
        assert "no expression output" in problem(challenge(client), 409, "challenge_impossible")["detail"]
        calibrate(client)
        assert enrol(client, photo("obama")).status_code == 201
        assert client.post("/v1/verify", files=pair).json()["threshold"] == 100
        assert client.post("/v1/identify", files=one).json()["faces"][0]["known"] == ADA
        problem(challenge(client), 409, "challenge_impossible")


def test_a_threshold_makes_no_challenge_without_expressions(lacking):
    with lacking("expression") as client:
        problem(challenge(client), 409, "challenge_impossible")


def test_challenges_without_a_recommended_threshold_take_the_gallerys(lacking, photo):
    with lacking(thresholds=None) as client:
        detail = problem(challenge(client), 409, "challenge_impossible")["detail"]
        assert "calibrate, or give a policy" in detail
        calibrate(client)
        assert enrol(client, photo("obama")).status_code == 201
        assert challenge(client).status_code == 201
