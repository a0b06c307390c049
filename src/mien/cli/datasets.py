"""`mien datasets`: the data sets that can be read, and whether a folder holds one as it should."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mien.cli.console import progress, shown, stdout_console
from mien.cli.exits import EXIT_CODES, ExitCode, reporting, say
from mien.cli.options import JsonOption
from mien.datasets import LAYOUTS, Check, Layout, Skipped, check_layout, check_photos, find_layout

datasets = typer.Typer(add_completion=False, rich_markup_mode=None, epilog=EXIT_CODES)


@datasets.callback(invoke_without_command=True)
def listing(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the data sets that can be read: name, content, labels, licence, and where to ask for them.

    --json prints one list of objects: name, title, what, identity (the rule that tells people apart, or null),
    expressions, parts, tree (what the folder should look like), images, people, licence, ask, reference, unsure (what
    of this was not checked against the set's own documentation).
    """
    if context.invoked_subcommand is None:
        reporting("datasets", _list)(as_json)


def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name, as `mien datasets` lists it.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that it was unpacked to.")],
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every photo too, to find damaged ones. Takes longer.")
    ] = False,
    as_json: JsonOption = False,
) -> ExitCode:
    """Count people, photos and classes against the official figures, and say what is missing.

    --json prints one object: name, complete, figures (what, found, official), missing, skipped (name, reason), unsure.
    """
    result = check_layout(find_layout(name), folder)
    if decode:
        with progress(len(result.samples), "decoding") as advance:
            result = check_photos(result, advance)
    if as_json:
        _print_json(_check_record(result))
    else:
        _print_check(result)
    return ExitCode.DONE if result.complete else ExitCode.DIFFERENT


datasets.command("check", epilog=EXIT_CODES)(reporting("datasets check", check))


def _list(as_json: bool) -> ExitCode:
    if as_json:
        _print_json([_layout_record(layout) for layout in LAYOUTS.values()])
        return ExitCode.DONE
    table = Table("name", "what", "labels", "licence", "where to ask", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True
    table.columns[-1].overflow = "fold"
    for layout in LAYOUTS.values():
        table.add_row(layout.name, f"{layout.title}: {layout.what}", _labels(layout), layout.licence, layout.ask)
    stdout_console().print(table)
    return ExitCode.DONE


def _labels(layout: Layout) -> str:
    people = ["identity"] if layout.subjects else []
    count = len(layout.classes)
    expressions = [f"{count} expression{'s' * (count > 1)}"] if count else []
    pairs = ["pairs"] if layout.pairs else []
    return ", ".join(people + expressions + pairs)


def _layout_record(layout: Layout) -> dict[str, Any]:
    return {
        "name": layout.name,
        "title": layout.title,
        "what": layout.what,
        "identity": layout.subjects or None,
        "expressions": [expression.value for expression in layout.classes],
        "parts": list(dict.fromkeys((*layout.official.parts, *layout.parts.values()))),
        "tree": layout.tree.strip(),
        "images": layout.official.images,
        "people": layout.official.people,
        "licence": layout.licence,
        "ask": layout.ask,
        "reference": layout.reference,
        "unsure": layout.unsure,
    }


def _check_record(result: Check) -> dict[str, Any]:
    return {
        "name": result.layout.name,
        "complete": result.complete,
        "figures": [{"what": f.what, "found": f.found, "official": f.official} for f in result.figures],
        "missing": list(result.missing),
        "skipped": [{"name": skipped.name, "reason": skipped.reason} for skipped in result.samples.skipped],
        "unsure": result.layout.unsure,
    }


def _print_check(result: Check) -> None:
    table = Table(result.layout.title, "found", "official", "", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns[1:3]:
        column.justify = "right"
    for figure in result.figures:
        official = "" if figure.official is None else f"{figure.official:,}"
        table.add_row(figure.what, f"{figure.found:,}", official, "" if figure.as_official else "differs")
    stdout_console().print(table)
    for sentence in result.missing:
        say(f"missing: {shown(sentence)}")
    say_left_out(result.samples.skipped)
    if result.layout.unsure:
        say(f"not checked against the set's own documentation: {result.layout.unsure}")


def say_left_out(skipped: Iterable[Skipped]) -> None:
    """Tell on stderr how many files or sequences were left out for each reason."""
    groups = defaultdict[str, list[str]](list)
    for item in skipped:
        groups[item.reason].append(item.name)
    for reason, names in groups.items():
        say(f"left out: {len(names)} ({shown(names[0])}{', ...' * (len(names) > 1)}), as {reason}")


def _print_json(record: object) -> None:
    sys.stdout.write(json.dumps(record, indent=2) + "\n")
