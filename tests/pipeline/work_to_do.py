"""What the workers of the tests do; found by its name in their processes."""

from __future__ import annotations

import os
import re
import time


def make():
    """Does what an item says: its name, and an argument."""
    return do


def make_nothing():
    raise LookupError("there is nothing to make")


def make_counter():
    """Counts what this process has done."""
    done = []

    def count(item):
        done.append(item)
        return os.getpid(), len(done)

    return count


def make_dead():
    os._exit(5)


def do(item):
    name, argument = item
    return globals()[f"_{name}"](argument)


class Odd(Exception):
    """Cannot be sent."""

    def __init__(self, one, two):
        super().__init__(one)


def _same(value):
    return value


def _sleep(seconds):
    time.sleep(seconds)
    return seconds


def _later(value):
    time.sleep(0.2 / (1 + value))
    return value


def _hang(_):
    re.fullmatch("(a+)+", "a" * 60 + "b")  # holds the interpreter's lock, as a decoder may


def _die(code):
    os._exit(code)


def _kill(number):
    os.kill(os.getpid(), number)


def _fail(text):
    raise ValueError(text)


def _fail_oddly(text):
    raise Odd(text, 2)


def _unsendable(_):
    return lambda: None


def _say(text):
    print(text)  # noqa: T201
    os.write(1, text.encode())
    return text


def _pid(_):
    return os.getpid()
