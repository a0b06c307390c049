from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import work_to_do

from mien.errors import WorkError, WorkTimeoutError
from mien.pipeline import Workers


@pytest.fixture(scope="module")
def two():
    with Workers(work_to_do.make, count=2, seconds=30) as workers:
        workers.wait()
        yield workers


@pytest.fixture(scope="module")
def hasty():
    """One process, and a second for each item."""
    with Workers(work_to_do.make, count=1, seconds=1) as workers:
        workers.wait()
        yield workers


def results(workers, *items):
    """The result or the error of each."""
    found = []
    for future in workers.stream(items):
        error = future.exception()
        found.append(future.result() if error is None else error)
    return found


def test_order_is_kept_whatever_each_takes(two):
    values = list(range(12))
    assert results(two, *(("later", value) for value in values)) == values


def test_arrays_come_back_as_they_are(two):
    for array in (np.arange(1e5).reshape(100, 1000), np.zeros((0, 3), np.uint8), np.asfortranarray(np.eye(5))[::2]):
        answer = two.submit(("same", {"pixels": [array, "beside"]})).result()
        np.testing.assert_array_equal(answer["pixels"][0], array)
        assert answer["pixels"][0].dtype == array.dtype
        assert answer["pixels"][0].flags.writeable


def test_an_error_costs_its_item_alone(two):
    one, failed, odd, unsendable, other = results(
        two, ("same", 1), ("fail", "this one"), ("fail_oddly", "that one"), ("unsendable", 0), ("same", 2)
    )
    assert (one, other) == (1, 2)
    assert isinstance(failed, ValueError) and str(failed) == "this one"
    assert isinstance(odd, RuntimeError) and str(odd) == "Odd: that one"
    assert isinstance(unsendable, Exception)


def test_what_cannot_be_sent_costs_its_item_alone(two):
    assert isinstance(two.submit(lambda: None).exception(), Exception)
    assert results(two, ("same", 1), ("same", 2)) == [1, 2]


def test_what_is_printed_disturbs_nothing(two):
    assert results(two, ("say", "hello"), ("same", 1)) == ["hello", 1]


@pytest.mark.parametrize("name", ["hang", "sleep"])
def test_what_does_not_come_back_is_ended_and_costs_its_item_alone(hasty, name):
    start = time.monotonic()
    before, lost, after = results(hasty, ("same", 1), (name, 1000), ("same", 2))
    assert (before, after) == (1, 2)
    assert isinstance(lost, WorkTimeoutError)
    assert str(lost) == "it took longer than 1 s"
    assert time.monotonic() - start < 60


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_process_that_stands_still_is_ended(hasty):
    pid = hasty.submit(("pid", 0)).result()
    os.kill(pid, signal.SIGSTOP)
    assert isinstance(hasty.submit(("same", bytes(10**7))).exception(), WorkTimeoutError)
    assert hasty.submit(("same", 1)).result() == 1


@pytest.mark.parametrize("death", [("die", 3), ("kill", signal.SIGKILL), ("kill", signal.SIGSEGV)])
def test_a_process_that_dies_costs_its_item_alone_and_is_replaced(two, death):
    *others, lost, last = results(two, ("same", 1), ("same", 2), death, ("same", 3))
    assert (others, last) == ([1, 2], 3)
    assert isinstance(lost, WorkError) and not isinstance(lost, WorkTimeoutError)
    assert "ended by itself" in str(lost)


def test_a_process_that_dies_while_it_waits_costs_nothing(hasty):
    pid = hasty.submit(("pid", 0)).result()
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    assert hasty.submit(("pid", 0)).result() != pid


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_signals_to_stop_are_for_the_process_that_started_them(hasty):
    pid = hasty.submit(("pid", 0)).result()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert hasty.submit(("pid", 0)).result() == pid


def test_a_process_keeps_what_it_made(two):
    with Workers(work_to_do.make_counter, count=1, seconds=30) as workers:
        answers = results(workers, "a", "b", "c")
    assert len({pid for pid, _ in answers}) == 1
    assert [count for _, count in answers] == [1, 2, 3]


@pytest.mark.parametrize(("make", "kind"), [(work_to_do.make_nothing, LookupError), (work_to_do.make_dead, WorkError)])
def test_what_cannot_be_made_is_told_to_whoever_asks(make, kind):
    with Workers(make, count=1, seconds=30) as workers:
        with pytest.raises(kind):
            workers.wait()
        assert isinstance(workers.submit(1).exception(), kind)
        assert isinstance(workers.submit(2).exception(), kind)
        assert workers.alive


def test_a_stream_reads_no_further_than_it_may(two):
    read = []

    def items():
        for k in range(100):
            read.append(k)
            yield "same", k

    stream = two.stream(items(), ahead=3)
    for taken in range(5):
        assert next(stream).result() == taken
        assert len(read) <= taken + 3
    stream.close()
    assert len(read) <= 8


def test_a_stream_may_end_before_its_time(two):
    stream = two.stream([("sleep", 0.2)] * 20)
    next(stream)
    stream.close()
    start = time.monotonic()
    assert two.submit(("same", 1)).result() == 1
    assert two.waiting == 0
    assert time.monotonic() - start < 10


def test_waiting_is_told(hasty):
    futures = [hasty.submit(("sleep", 0.3)) for _ in range(3)]
    time.sleep(0.1)
    assert hasty.waiting >= 1
    assert 0 < hasty.longest_wait < 60
    for future in futures:
        future.result()
    assert (hasty.waiting, hasty.longest_wait) == (0, 0.0)


def test_what_was_taken_is_done_before_it_closes():
    workers = Workers(work_to_do.make, count=2, seconds=30)
    futures = [workers.submit(("later", k)) for k in range(6)]
    closing = threading.Thread(target=workers.close)
    closing.start()
    assert [future.result() for future in futures] == list(range(6))
    closing.join(30)
    assert not workers.alive
    with pytest.raises(WorkError, match="closed"):
        workers.submit(("same", 1))


def test_closing_does_not_wait_for_ever():
    workers = Workers(work_to_do.make, count=1, seconds=1000)
    workers.wait()
    pid = workers.submit(("pid", 0)).result()
    working, waiting = workers.submit(("sleep", 1000)), workers.submit(("same", 1))
    start = time.monotonic()
    workers.close(0.2)
    assert time.monotonic() - start < 10
    assert isinstance(working.exception(), WorkError)
    assert waiting.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


SCRIPT = """
import sys, threading
sys.path.insert(0, {here!r})
import work_to_do
from mien.pipeline import Workers
workers = Workers(work_to_do.make, count=2, seconds=4)
print(workers.submit(("pid", 0)).result(), flush=True)
print([future.result() for future in workers.stream(("same", k) for k in range(3))], flush=True)
busy = workers.submit(("hang", 0))
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_a_script_needs_no_guard_and_its_death_ends_the_workers(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(here=str(Path(__file__).parent)))
    with subprocess.Popen([sys.executable, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        script.stdout.readline()
        assert script.stdout.readline() == "[0, 1, 2]\n"
        children = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split()
        for thread in Path(f"/proc/{script.pid}/task").iterdir():
            children += (thread / "children").read_text().split()
        assert len(set(children)) >= 2
        time.sleep(0.3)
        script.kill()
    end = time.monotonic() + 60
    while any(Path(f"/proc/{child}/cmdline").exists() and alive(child) for child in children):
        assert time.monotonic() < end
        time.sleep(0.1)


def alive(child):
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
