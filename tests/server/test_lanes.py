"""The queue: bounded, finishes what it took, and looks at photos together when they come together."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from services import run_apart

from mien import ImageError, Mien
from mien.server.lanes import BATCH, Lanes
from mien.server.metrics import Metrics
from mien.server.problems import Code, ProblemError


@pytest.fixture(scope="module")
def mien():
    return Mien(threads=1)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def opened(mien, metrics):
    running = []

    def start(lanes=1, capacity=20):
        running.append(Lanes(mien, lanes=lanes, capacity=capacity, max_pixels=10**7, metrics=metrics))
        return running[-1]

    yield start
    for lanes in running:
        lanes.close()


async def occupied(lanes, release):
    """Keep a lane busy until an event; gives the work's future once it has begun."""
    begun = Event()

    def work():
        begun.set()
        assert release.wait(30)

    task = asyncio.ensure_future(lanes.run(work))
    await asyncio.to_thread(begun.wait, 30)
    return task


async def asked(lanes, *photos):
    """Ask for all at once; they wait in the queue when this returns."""
    tasks = [asyncio.ensure_future(lanes.faces(data)) for data in photos]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


def batches(metrics):
    """How many batches there were, and how many photos in all."""
    (found,) = metrics.batches.collect()
    values = {sample.name: sample.value for sample in found.samples if not sample.labels}
    return values["mien_batch_photos_count"], values["mien_batch_photos_sum"]


def test_what_waits_together_is_looked_at_together(opened, metrics, photo, mien):
    async def play():
        lanes, release = opened(), Event()
        work = await occupied(lanes, release)
        tasks = await asked(lanes, *[photo(name) for name in ("obama", "biden", "obama2")], b"no photo")
        release.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        await work
        return answers

    *faces, broken = run_apart(play)
    assert batches(metrics) == (1, 4)
    assert isinstance(broken, ImageError)
    for name, found in zip(("obama", "biden", "obama2"), faces, strict=True):
        (expected,) = mien.analyze(photo(name))
        assert found[0].box.left == pytest.approx(expected.box.left, abs=0.01)


def test_a_batch_has_a_largest_size(opened, metrics, photo):
    async def play():
        lanes, release = opened(), Event()
        work = await occupied(lanes, release)
        tasks = await asked(lanes, *[photo("obama")] * (BATCH + 1))
        release.set()
        await asyncio.gather(work, *tasks)

    run_apart(play)
    assert batches(metrics) == (2, BATCH + 1)


def test_a_full_queue_refuses_more_and_loses_nothing(opened, metrics, photo):
    async def play():
        lanes, release = opened(capacity=2), Event()
        work = await occupied(lanes, release)
        tasks = await asked(lanes, photo("obama"), photo("biden"))
        with pytest.raises(ProblemError) as refused:
            await lanes.faces(photo("obama"))
        assert (refused.value.code, refused.value.retry_after) == (Code.BUSY, 1.0)
        with pytest.raises(ProblemError):
            await lanes.run(lambda: None)
        release.set()
        found = await asyncio.gather(*tasks)
        await work
        assert [len(faces) for faces in found] == [1, 1]
        assert len(await lanes.faces(photo("obama"))) == 1  # there is room again

    run_apart(play)


def test_what_was_taken_is_done_before_it_closes(opened, photo):
    async def play():
        lanes, release = opened(), Event()
        work = await occupied(lanes, release)
        tasks = await asked(lanes, photo("obama"), photo("biden"))
        closing = asyncio.create_task(asyncio.to_thread(lanes.close))
        await asyncio.sleep(0.1)
        assert not lanes.alive
        with pytest.raises(ProblemError):
            await lanes.faces(photo("obama"))
        assert not closing.done()
        release.set()
        await closing
        _, *found = await asyncio.wait_for(asyncio.gather(work, *tasks), 1)
        assert [len(faces) for faces in found] == [1, 1]

    run_apart(play)


def test_work_that_fails_fails_alone(opened, photo):
    async def play():
        lanes = opened()
        with pytest.raises(ZeroDivisionError):
            await lanes.run(lambda: 1 / 0)
        assert await lanes.run(lambda: 6 * 7) == 42
        assert len(await lanes.faces(photo("obama"))) == 1

    run_apart(play)


def test_who_went_away_is_not_waited_for(opened, metrics, photo):
    async def play():
        lanes, release = opened(), Event()
        work = await occupied(lanes, release)
        gone, kept = await asked(lanes, photo("obama"), photo("biden"))
        gone.cancel()
        await asyncio.sleep(0)
        release.set()
        assert len(await kept) == 1
        await work

    run_apart(play)
    assert batches(metrics) == (1, 1)


def test_a_busy_service_says_so_and_answers_the_rest(started, photo):
    """Over HTTP: each request is answered, with the faces or with a problem that says when to come again."""
    with started(queue=2, rate=1000) as client, ThreadPoolExecutor(16) as threads:

        def send(_=None):
            return client.post("/v1/analyze", content=photo("obama"), headers={"Content-Type": "image/jpeg"})

        answers = list(threads.map(send, range(48)))
        last = send()
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert (answer.json()["code"], answer.headers["Retry-After"]) == ("busy", "1")
        else:
            assert answer.json()["faces"][0]["expression"] == "happiness"
    assert last.status_code == 200
