from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from services import ADA, enrol

from mien.server import upkeep


def test_a_pending_removal_is_finished_when_the_reader_ends(started, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "SWEEP_SECONDS", 0.05)

    def left():
        return [file.name for file in tmp_path.glob("people.db*") if ADA.encode() in file.read_bytes()]

    with started() as client:
        enrol(client, photo("obama"))
        with closing(sqlite3.connect(tmp_path / "people.db", isolation_level=None)) as backup:
            backup.execute("BEGIN")
            backup.execute("SELECT count(*) FROM people").fetchone()
            assert client.delete("/v1/people/Barack%20Obama").json() == {"names": [ADA], "samples": 1, "pending": True}
            time.sleep(0.3)
            assert left()
        for _ in range(100):
            if not left():
                break
            time.sleep(0.1)
        assert not left()
