"""`mien gallery`: enrolled people."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.table import Table

from mien.analyzer import Mien
from mien.cli.console import progress, shown, stdout_console
from mien.cli.exits import EXIT_CODES, ExitCode, reporting, say
from mien.cli.options import DetectOption, JsonOption, MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.cli.photos import find_photos
from mien.cli.records import box_record
from mien.errors import GalleryError
from mien.gallery.enrolment import PhotoReport, enroll_photos
from mien.gallery.gallery import Gallery
from mien.gallery.names import normalized_name
from mien.gallery.people import to_text
from mien.gallery.records import Identification, Person, Removal, Sample
from mien.gallery.transfer import from_lines, to_lines
from mien.types import Face, ImageFailure

gallery = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXIT_CODES,
    help="Enrol people who agreed to it, and tell who is on a photo.",
)

GalleryOption: TypeAlias = Annotated[
    Path, typer.Option("--gallery", envvar="MIEN_GALLERY", metavar="FILE", help="The gallery's file.")
]
DEFAULT = Path("people.db")


def enroll(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who is on the photos.")],
    photos: Annotated[list[str], typer.Argument(metavar="PHOTOS", help="Photos of that person, folders, patterns.")],
    consent: Annotated[
        str,
        typer.Option(
            "--consent",
            metavar="TEXT",
            help="What the person agreed to; needed for a new person, and where the consent has ended.",
        ),
    ] = "",
    expires: Annotated[
        datetime | None,
        typer.Option("--expires", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="When the consent ends (UTC)."),
    ] = None,
    largest: Annotated[bool, typer.Option("--largest", help="Of several faces on a photo, take the largest.")] = False,
    overrule: Annotated[
        bool, typer.Option("--overrule", help="Also take faces that are small, blurred or unlike the person's others.")
    ] = False,
    detect: DetectOption = True,
    file: GalleryOption = DEFAULT,
    as_json: JsonOption = False,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Enrol a person by photos, or add photos to a person. Embeddings are kept, photos are not.

    A --consent takes the place of an earlier one, with its end: without --expires it has none.

    A photo must show one face, large and sharp, and like the person's other photos. --json prints one object: name,
    enrolled (how many photos), photos (list of photo, enrolled, problems, warnings).
    """
    end = None if expires is None else expires.replace(tzinfo=UTC)
    if end is not None and end <= datetime.now(UTC):
        raise typer.BadParameter(f"--expires {expires:%Y-%m-%d} is not in the future; give the day the consent ends")
    found = find_photos(photos)
    for problem in found.problems:
        say(f"mien: {problem}")
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    with Gallery(file, mien.contract) as people:
        reports = enroll_photos(
            people,
            mien,
            name,
            [photo.path for photo in found.photos],
            consent=consent,
            expires=end,
            largest=largest,
            overrule=overrule,
            detect=detect,
        )
    count = sum(report.enrolled for report in reports)
    if as_json:
        records = [_report_record(report) for report in reports]
        sys.stdout.write(json.dumps({"name": normalized_name(name), "enrolled": count, "photos": records}) + "\n")
    else:
        sys.stdout.write(f"{name}: {count} of {len(reports)} photos enrolled\n")
    for report in reports:
        for text in (*report.problems, *report.warnings):
            say(f"{'note' if report.enrolled else 'mien'}: {shown(report.source)}: {text}")
    if not count:
        return ExitCode.ERROR
    return ExitCode.PARTIAL if count < len(reports) or found.problems else ExitCode.DONE


def identify(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTOS", help="Photos, folders and patterns.")],
    file: GalleryOption = DEFAULT,
    k: Annotated[int, typer.Option("-k", min=1, help="How many people to name, nearest first (--json).")] = 5,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, help="Distance up to which a person is known.")
    ] = None,
    as_json: JsonOption = False,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> ExitCode:
    """Tell who is on photos, among the people enrolled; others are unknown.

    The threshold is that of mien calibrate --gallery, or else the model's. --json prints for each photo: photo, faces
    (largest first), error (null or a sentence). A face has box, known (a name or null), threshold, matches (list of
    name, distance, sample). Exit code 1 when nobody is known on any photo.
    """
    found = find_photos(photos)
    for problem in found.problems:
        say(f"mien: {problem}")
    if not found.photos:
        return ExitCode.ERROR
    mien = Mien(model, threads=threads, providers=providers, min_face=min_face)
    failures, known = len(found.problems), 0
    with Gallery(file) as people, progress(len(found.photos), "identifying", quiet=sys.stdout.isatty()) as advance:
        people.check_model(mien.contract)
        answers = mien.analyze_stream(photo.path for photo in found.photos)
        for photo, answer in zip(found.photos, answers, strict=True):
            if isinstance(answer, ImageFailure):
                failures += 1
                say(f"mien: {shown(answer.message)}")
                results = []
            else:
                results = [(face, people.identify(face.identity, k, threshold=threshold)) for face in answer]
            known += sum(result.known is not None for _, result in results)
            _print_identified(photo.path, results, answer, as_json)
            advance()
    if failures == len(found.photos) + len(found.problems):
        return ExitCode.ERROR
    if failures:
        return ExitCode.PARTIAL
    return ExitCode.DONE if known else ExitCode.DIFFERENT


def listing(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="List the samples of this person.")] = None,
    file: GalleryOption = DEFAULT,
    as_json: JsonOption = False,
) -> ExitCode:
    """List the people enrolled: consent, its end, samples; or one person's samples, by the numbers to remove them by.

    --json prints one object a person, or sample, and line.
    """
    now = datetime.now(UTC)
    with Gallery(file) as people:
        if name is not None:
            return _list_samples(people.samples(name), as_json)
        everybody = people.people()
    if as_json:
        for person in everybody:
            sys.stdout.write(json.dumps(_person_record(person, now)) + "\n")
        return ExitCode.DONE
    table = Table("name", "samples", "enrolled", "consent", "ends")
    for person in everybody:
        end = "" if person.expires is None else f"{person.expires:%Y-%m-%d}{' (over)' * person.expired(now)}"
        table.add_row(person.name, str(person.samples), f"{person.enrolled:%Y-%m-%d}", person.consent, end)
    stdout_console().print(table)
    return ExitCode.DONE


def _list_samples(samples: list[Sample], as_json: bool) -> ExitCode:
    table = Table("number", "added", "source")
    for sample in samples:
        record = {"number": sample.number, "added": to_text(sample.added), "source": sample.source}
        if as_json:
            sys.stdout.write(json.dumps(record) + "\n")
        table.add_row(str(sample.number), f"{sample.added:%Y-%m-%d}", sample.source)
    if not as_json:
        stdout_console().print(table)
    return ExitCode.DONE


def remove(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAMES", help="Who is to be removed.")] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Remove everybody whose consent has ended.")] = False,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", help="Remove only this sample of the one person named.")
    ] = None,
    file: GalleryOption = DEFAULT,
) -> ExitCode:
    """Remove people with all that is stored about them, also in the file of mien serve; the bytes are overwritten.

    While another process reads a file, or where that of mien serve cannot be used, removed bytes are still there; they
    go when the gallery is next used, or with `mien gallery stats`. Then "pending" is said and the exit code is 4.
    """
    if expired == bool(names) or (sample is not None and len(names or ()) != 1):
        raise typer.BadParameter("give names, or --expired, or one name with --sample")
    with Gallery(file) as people:
        if sample is not None:
            return _removed(people.remove_sample((names or [""])[0], sample))
        now = datetime.now(UTC)
        chosen = [person.name for person in people.people() if person.expired(now)] if expired else (names or [])
        return _removed(people.remove(*chosen))


def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAMES", help="Who; everybody by default.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, for its owner alone to read.")
    ] = None,
    file: GalleryOption = DEFAULT,
) -> ExitCode:
    """Give out all that is stored about people, as JSON lines: a header, then a line for each person."""
    with Gallery(file) as people:
        lines = to_lines(people.contract, people.export(names or None))
        if output is None:
            sys.stdout.writelines(lines)
            return ExitCode.DONE
        try:
            with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                out.writelines(lines)
        except OSError as error:
            raise GalleryError(f"{output} cannot be written ({error.strerror}); give another path") from error
    return ExitCode.DONE


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `mien gallery export` wrote.")],
    file: GalleryOption = DEFAULT,
    model: ModelOption = None,
) -> ExitCode:
    """Enrol exported people, all or none of them; nobody may be enrolled already."""
    from mien.runtime import Model

    contract = None if file.exists() else Model(model).contract
    try:
        with source.open(encoding="utf-8") as lines, Gallery(file, contract) as people:
            count = people.add(from_lines(lines, people.contract, str(source)))
    except (OSError, UnicodeDecodeError) as error:
        raise GalleryError(f"{source} cannot be read ({error}); give what `mien gallery export` wrote") from error
    sys.stdout.write(f"{count} people imported\n")
    return ExitCode.DONE


def stats(file: GalleryOption = DEFAULT, as_json: JsonOption = False) -> ExitCode:
    """Tell what a gallery holds. --json prints one object with the same fields."""
    with Gallery(file) as people:
        found = people.stats()
    record = {name: getattr(found, name) for name in found.__slots__}
    if as_json:
        sys.stdout.write(json.dumps({"gallery": str(file), **record}) + "\n")
        return ExitCode.DONE
    for name, value in {"gallery": file, **record}.items():
        sys.stdout.write(f"{name.replace('_', ' ')}: {value}\n")
    return ExitCode.DONE


def _print_identified(
    photo: Path, results: list[tuple[Face, Identification]], answer: list[Face] | ImageFailure, as_json: bool
) -> None:
    if as_json:
        error = answer.message if isinstance(answer, ImageFailure) else None
        faces = [_identified_record(face, result) for face, result in results]
        sys.stdout.write(json.dumps({"photo": str(photo), "faces": faces, "error": error}) + "\n")
        return
    if not results and not isinstance(answer, ImageFailure):
        sys.stdout.write(f"{shown(photo)}: no face\n")
    for _, result in results:
        nearest = result.matches[0] if result.matches else None
        if result.known is not None:
            text = f"{result.known.name} (distance {result.known.distance:.3f} <= {result.threshold:.3f})"
        else:
            text = "unknown" + (f" (nearest: {nearest.name}, {nearest.distance:.3f})" if nearest else "")
        sys.stdout.write(f"{shown(photo)}: {text}\n")


def _identified_record(face: Face, result: Identification) -> dict[str, Any]:
    return {
        "box": box_record(face.box),
        "known": None if result.known is None else result.known.name,
        "threshold": result.threshold,
        "matches": [
            {"name": match.name, "distance": round(match.distance, 6), "sample": match.sample}
            for match in result.matches
        ],
    }


def _report_record(report: PhotoReport) -> dict[str, Any]:
    problems, warnings = list(report.problems), list(report.warnings)
    return {"photo": report.source, "enrolled": report.enrolled, "problems": problems, "warnings": warnings}


def _person_record(person: Person, now: datetime) -> dict[str, Any]:
    return {
        "name": person.name,
        "samples": person.samples,
        "consent": person.consent,
        "enrolled": to_text(person.enrolled),
        "expires": None if person.expires is None else to_text(person.expires),
        "expired": person.expired(now),
    }


def _removed(removal: Removal) -> ExitCode:
    names = ", ".join(removal.names) or "nobody"
    sys.stdout.write(f"removed: {names} ({removal.samples} samples)\n")
    if not removal.pending:
        return ExitCode.DONE
    say(
        "pending: removed bytes are still in the gallery's files, or in that of mien serve, which another process uses "
        "or which cannot be written; `mien gallery stats` finishes it later"
    )
    return ExitCode.PARTIAL


for _name, _command in (
    ("enroll", enroll),
    ("identify", identify),
    ("list", listing),
    ("remove", remove),
    ("export", export),
    ("import", import_),
    ("stats", stats),
):
    gallery.command(_name, epilog=EXIT_CODES)(reporting(f"gallery {_name}", _command))
