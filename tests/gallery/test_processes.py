from __future__ import annotations

import subprocess
import sys

import pytest

from mien import Gallery, StorageBusyError

OTHER = """
import sys
from mien import Gallery
gallery = Gallery(sys.argv[1])
for line in sys.stdin:
    print(eval(line), flush=True)
"""


@pytest.fixture
def other(path, tiny_contract):
    """Another process with the gallery open; evaluates what it is asked."""
    Gallery(path, tiny_contract).close()
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(expression):
            process.stdin.write(expression + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield ask
        process.stdin.close()


def test_two_processes_stay_in_step(other, path):
    known = "getattr(gallery.identify([{}, 0, 0], threshold=0.5).known, 'name', None)"
    with Gallery(path) as gallery:
        assert other(known.format(0)) == "None"
        gallery.enroll("Ada", [0, 0, 0], consent="yes")
        assert other(known.format(0)) == "Ada"
        assert other("gallery.enroll('Bo', [1, 0, 0], consent='yes').samples") == "1"
        assert gallery.identify([1, 0, 0], threshold=0.5).known.name == "Bo"
        other("gallery.enroll('Bo', [3, 0, 0])")
        assert gallery.identify([3, 0, 0], threshold=0.5).known.name == "Bo"
        assert other("gallery.remove('Bo').pending") == "False"
        assert gallery.identify([1, 0, 0], threshold=0.5).known is None
        gallery.remove("Ada")
        assert other(known.format(0)) == "None"
        assert other("gallery.load()") == "0"


def test_a_name_is_given_once(other, path):
    with Gallery(path) as gallery:
        gallery.enroll("Ada", [0, 0, 0], consent="yes")
        other("gallery.enroll('Ada', [1, 0, 0], consent='yes')")
        assert [(person.name, person.samples) for person in gallery.people()] == [("Ada", 2)]


def test_many_processes_may_create_one_gallery(tmp_path, tiny_model):
    """All start at once on a file that does not exist."""
    program = (
        "import sys; from mien import Gallery; from mien.runtime import Model\n"
        "contract = Model(sys.argv[2]).contract; sys.stdin.readline()\n"
        "with Gallery(sys.argv[1], contract) as g: g.enroll(sys.argv[3], [0, 0, 0], consent='yes')\n"
    )
    path, model = tmp_path / "people.db", tiny_model()
    processes = [
        subprocess.Popen([sys.executable, "-c", program, path, model, f"p{k}"], stdin=subprocess.PIPE, text=True)
        for k in range(4)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 4
    with Gallery(path) as gallery:
        assert [person.name for person in gallery.people()] == ["p0", "p1", "p2", "p3"]


def test_a_locked_file_is_said_in_a_sentence(path, tiny_contract):
    with Gallery(path, tiny_contract) as gallery, Gallery(path) as other:
        gallery._writer.execute("PRAGMA busy_timeout = 50")
        with other._writing(), pytest.raises(StorageBusyError, match="locked by another process"):
            gallery.enroll("Ada", [0, 0, 0], consent="yes")
        gallery.enroll("Ada", [0, 0, 0], consent="yes")
