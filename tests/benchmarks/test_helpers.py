from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from _installation import sizes
from _photos import evenly, some_people
from _report import Figure, Section, Target, read_sections, show, write_json
from _timing import Comparison, interleave, pooled
from _two_answers import identity_only
from side_by_side import side_by_side

from mien.datasets import Sample, SampleSet
from mien.runtime import Model


def test_the_ratio_is_the_median_of_neighbouring_ratios():
    comparison = Comparison((1.0, 2.0, 4.0), (2.0, 8.0, 4.0))
    assert comparison.ratios == [2.0, 4.0, 1.0]
    assert comparison.ratio == 2.0  # and not 4/2, the ratio of the medians, by any other pairing
    assert comparison.quartiles == (1.5, 3.0)
    assert pooled([comparison, comparison]).ratios == [2.0, 4.0, 1.0, 2.0, 4.0, 1.0]


def test_the_sides_take_turns_to_go_first():
    calls = []
    comparison = interleave(lambda: calls.append("a"), lambda: calls.append("b"), 3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert len(comparison.first) == len(comparison.second) == 3


def test_several_calls_a_run_are_preceded_by_an_untimed_one():
    calls = []
    interleave(lambda: calls.append("a"), lambda: calls.append("b"), 1, calls=3)
    assert "".join(calls) == "ab" + "aaaa" + "bbbb"


def test_a_section_shows_what_it_has():
    figures = [Figure("fast", 4.5, "x", "3 runs", 4.0, 5.0, Target(5.0, "at least")), Figure("small", 1e6, "MB", "1")]
    text = show(Section("Title", "How.", "quartiles", figures, ["A remark."]))
    assert "| fast   | 4.50x | 4.00 to 5.00 | 3 runs | at least 5.00x | NO  |" in text
    assert "| small  | 1 MB  |" in text
    assert "note" not in text
    assert text.endswith("A remark.")


def test_json_keeps_figures_and_verdicts(tmp_path):
    section = Section("Title", "How.", "", [Figure("share", 0.5, "%", "2", target=Target(0.5, "at most"))])
    write_json(tmp_path / "out.json", {"cores": "2"}, [section])
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["setting"] == {"cores": "2"}
    assert record["sections"][0]["figures"][0]["met"] is True


def test_two_files_side_by_side(tmp_path):
    def written(name, *figures):
        write_json(tmp_path / name, {}, [Section("Title", "How.", "interval", figures)])
        return read_sections(tmp_path / name)

    share = Figure("share", 0.5, "%", "2", 0.4, 0.6, Target(0.7, "at least"))
    ours = written("a.json", share, Figure("new", 1, "", "1"))
    theirs = written("b.json", Figure("share", 0.25, "%", "2", 0.2, 0.3), Figure("old", math.nan, "count", "1"))
    (section,) = side_by_side(ours, theirs)
    assert section.figures[0] == replace(share, note="beside: 25.00 % (20.00 to 30.00)")
    assert section.figures[1].note == ""
    assert section.lines == ["* Only beside: old, nan"]


def people(*counts):
    names = [f"person {k:03d}" for k, count in enumerate(counts) for _ in range(count)]
    return SampleSet("set", tuple(Sample(f"{i:04d}", Path("x"), identity=name) for i, name in enumerate(names)))


def test_a_trial_keeps_people_with_pairs():
    chosen = some_people(people(*[1, 2, 3] * 20), 30)
    photos = [sample.identity for sample in chosen.samples]
    assert 20 <= len(photos) <= 40
    assert all(photos.count(person) > 1 for person in photos)
    assert evenly(range(10), 5) == [0, 2, 4, 6, 8]


def test_identity_alone_gives_the_same_embedding(tiny_model, tmp_path):
    crops = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    both = Model(tiny_model())
    alone = Model(identity_only(both, tmp_path))
    answers = alone.run(crops)
    assert list(answers) == ["embedding"]
    np.testing.assert_array_equal(answers["embedding"], both.run(crops)["embedding"])
    assert alone.contract == both.contract.without("expression")


def test_sizes_sums_what_lies_below(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"123")
    (tmp_path / "a" / "b" / "two").write_bytes(b"4567")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "one")
    assert sizes(tmp_path) == {"a": 7}
