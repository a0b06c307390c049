from __future__ import annotations

import io
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from services import problem, run_apart

from mien.server.limits import MOST_CLIENTS, ROUNDING, Rate, Slots
from mien.server.problems import KINDS, Code, ProblemError

JPEG = {"Content-Type": "image/jpeg"}


def test_a_request_id_comes_back(shared):
    assert shared.get("/v1/health", headers={"x-request-id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    members = problem(shared.get("/nowhere", headers={"x-request-id": "abc"}), 404, "not_found")
    assert members["request_id"] == "abc"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\x7fb"])
def test_an_odd_request_id_is_replaced(shared, given):
    found = shared.get("/v1/health", headers={"x-request-id": given}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", found)


def test_request_ids_differ(shared):
    assert len({shared.get("/v1/health").headers["x-request-id"] for _ in range(10)}) == 10


def test_the_log_has_the_route_but_no_name(shared, caplog):
    with caplog.at_level("INFO", "mien.requests"):
        shared.get("/v1/people/Grace%20Hopper?after=Grace", headers={"x-request-id": "abc"})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "mien.requests"]
    assert re.fullmatch(r"abc GET /v1/people/\{name\} 404 \d+ ms", line)


def test_headers_for_browsers(shared):
    for path in ("/", "/v1/health", "/nowhere"):
        headers = shared.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy and "http" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert shared.get("/v1/people").headers["cache-control"] == "no-store"


def test_wrong_paths_and_methods_are_problems(shared):
    for path in ("/v1/nothing", "/v1/", "/v1/people/", "/metrics/x", "/nowhere"):
        problem(shared.get(path), 404, "not_found")
    problem(shared.put("/v1/nothing"), 404, "not_found")
    for method, path, allowed in [
        ("PUT", "/v1/analyze", "POST"),
        ("PUT", "/v1/people", "GET, POST"),
        ("BREW", "/v1/people/Ada", "GET, DELETE"),
        ("POST", "/metrics", "GET"),
        ("POST", "/index.html", "GET, HEAD"),
    ]:
        answer = shared.request(method, path)
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == allowed, path


def test_the_page_folder_gives_nothing_else_away(shared):
    for path in ("/../app.py", "/..%2fapp.py", "/%2e%2e/app.py", "/index.html/..", "/%00"):
        assert shared.get(path).status_code in (200, 404), path
        assert "import" not in shared.get(path).text


def test_wrong_forms_are_problems(shared, photo):
    problem(shared.post("/v1/analyze", content=b"x", headers={"Content-Type": "text/plain"}), 415, "media_type_unknown")
    problem(shared.post("/v1/analyze", content=b"x"), 415, "media_type_unknown")
    problem(shared.post("/v1/verify", content=b"x", headers=JPEG), 415, "media_type_unknown")
    problem(shared.post("/v1/verify", files={"a": photo("obama")}), 422, "request_invalid")
    problem(shared.post("/v1/analyze", files=[("photo", b"1"), ("photo", b"2")]), 422, "request_invalid")
    problem(
        shared.post("/v1/people", files=[("photo", b"1")] * 51, data={"name": "a", "consent": "b"}),
        422,
        "request_invalid",
    )
    problem(shared.post("/v1/identify?k=0", content=b"x", headers=JPEG), 422, "request_invalid")
    problem(shared.post("/v1/identify?threshold=nan", content=b"x", headers=JPEG), 422, "request_invalid")
    problem(
        shared.post("/v1/challenges", content=b"{", headers={"Content-Type": "application/json"}),
        422,
        "request_invalid",
    )


def test_a_large_body_is_refused_whether_or_not_it_tells_its_size(started):
    with started(body=1000) as client:
        problem(client.post("/v1/analyze", content=b"x" * 1001, headers=JPEG), 413, "body_too_large")
        pieces = (b"x" * 100 for _ in range(11))
        problem(client.post("/v1/analyze", content=pieces, headers=JPEG), 413, "body_too_large")
        problem(client.post("/v1/analyze", content=b"x" * 1000, headers=JPEG), 422, "photo_unusable")
        json = {"Content-Type": "application/json"}
        chunks = (b" " * 100 for _ in range(11))
        problem(client.post("/v1/challenges", content=chunks, headers=json), 413, "body_too_large")


def test_a_slow_body_is_refused(started, monkeypatch):
    import asyncio

    import httpx

    monkeypatch.setattr("mien.server.gate.BODY_SECONDS", 0.2)

    async def slowly():
        yield b"x"
        await asyncio.sleep(1)
        yield b"x"

    with started() as client:

        async def send():
            transport = httpx.ASGITransport(client.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as slow:
                return await slow.post("/v1/analyze", content=slowly(), headers=JPEG)

        problem(run_apart(send), 408, "body_too_slow")


def test_a_large_photo_is_refused_before_it_is_unpacked(started):
    with started(pixels=10_000) as client:
        assert client.post("/v1/analyze", content=png(100, 100), headers=JPEG).status_code == 200
        members = problem(client.post("/v1/analyze", content=png(101, 100), headers=JPEG), 422, "photo_unusable")
        assert "0.01 million pixels" in members["detail"]
        for side in (15_000, 60_000):  # Pillow warns of the first, and refuses the second
            bomb = header_of(side)
            members = problem(client.post("/v1/analyze", content=bomb, headers=JPEG), 422, "photo_unusable")
            assert "million pixels" in members["detail"]
        report = problem(
            client.post("/v1/people", files={"photo": header_of(15_000)}, data={"name": "a", "consent": "b"}),
            422,
            "no_photo_enrolled",
        )
        assert "million pixels" in report["photos"][0]["problems"][0]


def test_the_rate_is_kept(started):
    with started(rate=2) as client:
        answers = [client.get("/v1/people") for _ in range(8)]
        assert [a.status_code for a in answers[:4]] == [200] * 4  # twice the rate may come at once
        refused = next(a for a in answers if a.status_code != 200)
        problem(refused, 429, "rate_exceeded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.get("/v1/health").status_code == 200


def test_a_bucket_fills_at_the_rate():
    now = 0.0
    rate = Rate(10, clock=lambda: now)
    taken = 0
    for _ in range(1000):
        now += 0.01
        taken += rate.take("a") == 0
    assert taken == pytest.approx(10 * 10 + 20, abs=2)
    assert rate.take("b") == 0


@given(rate=st.floats(0.01, 1000), now=st.floats(0, 1e7), steps=st.lists(st.floats(0, 10), max_size=20))
def test_who_waits_as_told_gets_a_token(rate, now, steps):
    bucket = Rate(rate, clock=lambda: now)
    for step in steps:
        now += step
        while wait := bucket.take("a"):
            now += wait
            assert bucket.take("a") == 0
        while not (wait := bucket.take("a")):
            pass
        if wait * rate > 20 * ROUNDING:  # of less than that, a tenth may be missing
            now += wait * 0.9
            assert bucket.take("a") > 0  # but not before
        now += 2 * wait


def test_buckets_do_not_pile_up():
    rate = Rate(1)
    for k in range(MOST_CLIENTS + 10):
        rate.take(str(k))
    assert len(rate._buckets) == MOST_CLIENTS


def test_slots():
    slots = Slots(1)
    with slots.one(), pytest.raises(ProblemError) as refused, slots.one():
        pass
    assert refused.value.code is Code.BUSY
    with slots.one():
        pass


def test_every_kind_of_problem_is_told(shared):
    assert set(KINDS) == set(Code)
    listed = shared.get("/v1/problems").json()
    assert {kind["code"] for kind in listed} == {code.value for code in Code}
    for kind in listed:
        assert shared.get(f"/v1/problems/{kind['code']}").json() == kind
    problem(shared.get("/v1/problems/none"), 404, "not_found")


def test_metrics_count_without_names(started, photo):
    with started() as client:
        client.post("/v1/analyze", content=photo("obama"), headers=JPEG)
        client.get("/v1/people/Grace%20Hopper")
        client.request("BREW", "/v1/people")
        text = client.get("/metrics").text
    assert 'mien_requests_total{method="POST",route="/v1/analyze",status="200"} 1.0' in text
    assert 'route="/v1/people/{name}",status="404"' in text
    assert 'method="other"' in text
    assert "mien_faces_total 1.0" in text
    assert "mien_photos_waiting 0.0" in text
    assert "mien_requests_in_work 1.0" in text  # this one
    assert "Grace" not in text


def test_a_failure_is_a_problem_that_tells_nothing(started, photo, caplog, monkeypatch):
    """What no check foresaw, in a route and behind the queue."""
    with started() as client:
        service = client.app.state.service
        monkeypatch.setattr(service.mien, "analyze_stream", lambda *_, **how: 1 / 0)
        members = problem(client.post("/v1/analyze", content=photo("obama"), headers=JPEG), 500, "internal")
        assert "division" not in str(members)
        assert "division" in caplog.text
        monkeypatch.undo()
        assert client.post("/v1/analyze", content=photo("obama"), headers=JPEG).status_code == 200


def test_a_lost_file_is_told(started):
    with started() as client:
        client.app.state.service.gallery.close()
        problem(client.get("/v1/people"), 503, "storage_unavailable")
        problem(client.get("/v1/ready"), 503, "storage_unavailable")
        assert client.get("/v1/health").status_code == 200


def png(width, height):
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return out.getvalue()


def header_of(side):
    """A PNG that claims a size and holds nothing of it."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
