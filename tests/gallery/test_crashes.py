from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mien import Gallery

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")

ZYGOTE = Path(__file__).with_name("_zygote.py")


KILLS = 100


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(path, tiny_contract):
    Gallery(path, tiny_contract).close()
    chance = random.Random(0)
    enrolled, begun, removed = set(), set(), set()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, ZYGOTE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as zygote:
        for kill in range(KILLS):
            # No answer at all is a kill while the gallery is opened; an enrolment takes a few milliseconds.
            zygote.stdin.write(f"{kill} {chance.randrange(10)} {chance.uniform(0, 0.012)}\n")
            zygote.stdin.flush()
            answers = zygote.stdout.readline().split()
            for sign, names in (("+", enrolled), ("~", begun), ("-", removed)):
                names.update(answer[1:] for answer in answers if answer.startswith(sign))
            # More may have happened than was acknowledged: what was committed just before the kill.
            names = stored(path)
            assert enrolled - begun <= names
            assert not removed & names
        zygote.stdin.close()
    assert len(enrolled) > KILLS
    assert len(removed) > 10
    there = enrolled - begun
    with Gallery(path) as gallery:
        assert there <= {person.name for person in gallery.people()}
        for name in sorted(there)[:20]:
            number = int(name.partition("-")[2])
            assert gallery.embeddings(name).tolist() == [[number] * 3]
            assert gallery.identify([number] * 3, threshold=0.0).known is not None


def stored(path):
    """The names in the file, by SQLite alone; the file must be sound."""
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return {name for (name,) in db.execute("SELECT name FROM people WHERE removed = 0")}
    finally:
        db.close()
