"""How many connections there may be, and how long nothing may happen on one."""

from __future__ import annotations

import errno
import logging
import os
import socket
from contextlib import ExitStack, closing

import pytest

from mien.server import connections as module
from mien.server import quiet_log
from mien.server.connections import Connections
from mien.server.listener import Listener, descriptors


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def listening(clock):
    """Listen with limits; gives the registry, a function that connects from an address, and one that accepts all."""
    with ExitStack() as held:

        def start(most=100, per_address=0, host="127.0.0.1"):
            registry = Connections(most, per_address, clock)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = held.enter_context(Listener(socket.create_server((host, 0), family=family), registry))
            listener.setblocking(False)
            accepted = []

            def connect(address="127.0.0.1"):
                made = socket.create_connection(listener.getsockname()[:2], timeout=5, source_address=(address, 0))
                return held.enter_context(closing(made))

            def accept():
                while True:
                    try:
                        accepted.append(held.enter_context(closing(listener.accept()[0])))
                    except BlockingIOError:
                        return accepted

            return registry, connect, accept

        yield start


def is_open(client):
    """Whether the other side still holds a connection."""
    client.settimeout(0.2)
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


def test_no_more_than_there_may_be(listening):
    registry, connect, accept = listening(most=3)
    clients = [connect() for _ in range(5)]
    accepted = accept()
    assert (len(accepted), len(registry)) == (3, 3)
    assert [is_open(client) for client in clients] == [True] * 3 + [False] * 2
    accepted[0].close()
    accepted[0].close()
    assert len(registry) == 2
    assert is_open(clients[1])
    connect()
    accept()
    assert len(registry) == 3


@pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="needs all of 127.0.0.0/8, as on Linux")
def test_one_address_takes_nobodys_place(listening):
    registry, connect, accept = listening(most=100, per_address=4)
    for _ in range(10):
        connect("127.0.0.2")
    accept()
    assert len(registry) == 4
    assert is_open(connect("127.0.0.1"))
    accept()
    assert len(registry) == 5


def test_addresses_of_a_network_are_one():
    group = module._group
    assert group("2001:db8::1") == group("2001:db8::ffff:1") != group("2001:db8:0:1::1")
    assert group("::ffff:192.0.2.1") == group("192.0.2.1") != group("192.0.2.2")
    assert group("fe80::1%eth0") == group("fe80::2%eth1")
    assert group("somewhere") == "somewhere"


def test_who_sends_no_head_is_ended(listening, clock):
    registry, connect, accept = listening()
    silent, asking, slow = connect(), connect(), connect()
    accept()
    with registry.answering(asking.getsockname()):
        for _ in range(12):
            slow.sendall(b"G")  # a head that never ends
            clock.now += module.HEAD_SECONDS / 11
            registry.end_stuck()
        assert [is_open(client) for client in (silent, asking, slow)] == [False, True, False]
        clock.now += 1000
        registry.end_stuck()
        assert is_open(asking)
    clock.now += module.HEAD_SECONDS - 0.1
    registry.end_stuck()
    assert is_open(asking)
    clock.now += 0.2
    registry.end_stuck()
    assert not is_open(asking)


def test_the_next_request_may_begin_before_the_last_has_quite_ended(listening, clock):
    registry, connect, accept = listening()
    client = connect()
    accept()
    with ExitStack() as second:
        with registry.answering(client.getsockname()):
            second.enter_context(registry.answering(client.getsockname()))
        clock.now += 1000
        registry.end_stuck()
        assert is_open(client)


def test_who_takes_nothing_of_an_answer_is_ended_and_who_takes_some_is_not(listening, clock):
    registry, connect, accept = listening()
    stuck, slow = connect(), connect()
    ends = accept()
    with (
        registry.answering(stuck.getsockname()),
        registry.sending(stuck.getsockname()),
        registry.answering(slow.getsockname()),
        registry.sending(slow.getsockname()),
    ):
        for _ in range(9):
            clock.now += module.SEND_SECONDS / 8
            ends[1].send(b"something")
            registry.end_stuck()
        assert not is_open(stuck)
        assert is_open(slow)


def test_an_answer_that_still_goes_out_is_not_cut(listening, clock):
    """The server has it in its buffer, and the application is done."""
    registry, connect, accept = listening()
    client = connect()
    (end,) = accept()
    with registry.answering(client.getsockname()):
        pass
    for _ in range(30):
        clock.now += module.HEAD_SECONDS / 2
        end.sendmsg([b"some", b"thing"])
        registry.end_stuck()
    assert is_open(client)


def test_what_is_no_connection_of_ours_is_let_be(clock):
    registry = Connections(1, 1, clock)
    for peer in (None, ("testclient", 50000)):
        with registry.answering(peer), registry.sending(peer):
            registry.end(peer)
            registry.end_stuck()


def test_without_descriptors_connections_are_closed_quietly(listening, monkeypatch, caplog):
    registry, connect, accept = listening()
    clients = [connect() for _ in range(20)]
    plain, calls = socket.socket.accept, []

    def out_of_files(self):
        calls.append(1)
        if len(calls) % 2:  # the second try has the spare descriptor
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return plain(self)

    monkeypatch.setattr(quiet_log, "SECONDS", 3600.0)
    with caplog.at_level(logging.INFO), monkeypatch.context() as patch:
        patch.setattr(socket.socket, "accept", out_of_files)
        for _ in range(20):
            assert accept() == []
    assert [is_open(client) for client in clients] == [False] * 20
    assert len(caplog.records) <= 1
    assert len(registry) == 0
    assert is_open(connect())
    accept()
    assert len(registry) == 1


def test_the_same_is_said_once_a_minute(clock, caplog):
    log = quiet_log.Throttled("mien.server", clock)
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            log.warning("it rains")
        log.warning("it snows")
        clock.now += quiet_log.SECONDS + 1
        log.warning("it rains")
    assert [record.getMessage() for record in caplog.records] == [
        "it rains",
        "it snows",
        "it rains (999 more times since)",
    ]


def test_descriptors_are_raised_as_far_as_they_may_be():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert descriptors(200) == 200
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 256
        assert descriptors(300) == 300
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
