"""People and their samples: enrol with consent, list, remove, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from mien.errors import GalleryError, ImageError, PersonNotFoundError
from mien.gallery import MAX_NAME, NOBODY, Person, PhotoReport, checked_name, enroll_photos, to_lines
from mien.photo import Photo
from mien.server import examples
from mien.server.access import Administrator, Enroller
from mien.server.answers import person_answer, report_answers, sample_answer
from mien.server.bodies import Form, read_form
from mien.server.describe import FILES, call, form_body
from mien.server.photos import open_photo
from mien.server.problems import Code, ProblemError
from mien.server.schemas import EnrolmentAnswer, Name, PeopleAnswer, PersonAnswer, RemovalAnswer, SamplesAnswer
from mien.server.service import Service, Services

router = APIRouter(prefix="/v1/people", tags=["people"])

NamePath = Annotated[Name, Path()]
MAX_CONSENT = 10_000
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Ends of consent beyond are mistakes, and could not be converted between time zones."""

_NOBODY = "nobody of this name is enrolled"
_CONSENT = {"type": "string", "maxLength": MAX_CONSENT, "description": "What the person agreed to, in words."}
_EXPIRES = {"type": "string", "format": "date-time", "description": "When the consent ends; without a zone in UTC."}
_OVERRULE = {"type": "string", "enum": ["true", "false"], "description": "Also take faces that do not pass the checks."}
_FIELDS = {"photo": FILES, "expires": _EXPIRES, "overrule": _OVERRULE}


@router.get("", **call("/v1/people", examples.PEOPLE))
async def list_people(
    service: Services,
    _: Enroller,
    after: Annotated[str, Query(max_length=MAX_NAME, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PeopleAnswer:
    """List the people enrolled, by name, those too whose consent has ended."""
    everybody = await run_in_threadpool(service.gallery.people)
    rest = [person for person in everybody if person.name > after]
    page = [person_answer(person) for person in rest[:limit]]
    return PeopleAnswer(people=page, total=len(everybody), next=page[-1].name if len(rest) > limit else None)


@router.post(
    "",
    **call(
        "/v1/people -F name='Ada Lovelace' -F consent='to open the door' -F photo=@1.jpg -F photo=@2.jpg",
        examples.ENROLMENT,
        body=form_body(
            {"name": {"type": "string", "maxLength": MAX_NAME}, "consent": {**_CONSENT, "minLength": 1}, **_FIELDS},
            ["name", "consent", "photo"],
        ),
        problems=[Code.PERSON_EXISTS, Code.NO_PHOTO_ENROLLED],
        status=201,
    ),
)
async def enrol_person(request: Request, service: Services, _: Enroller) -> EnrolmentAnswer:
    """Enrol a new person by photos, with the words of the person's consent. Embeddings are kept, photos are not.

    A photo must show one face, large and sharp, and like the person's other photos; `photos` tells of each.
    """
    form = await read_form(request)
    name, consent = _name(form.text("name")), _consent(form)
    if not consent:
        raise ProblemError(Code.REQUEST_INVALID, "a new person needs consent; send what the person agreed to")

    def check() -> None:
        if _find(service, name) is not None:
            raise ProblemError(Code.PERSON_EXISTS, "somebody of this name is enrolled; add samples, or choose another")

    await run_in_threadpool(check)
    return await _enrol(service, name, NOBODY, form)


@router.get("/{name}", **call("/v1/people/Ada%20Lovelace", examples.PERSON, problems=[Code.PERSON_NOT_FOUND]))
async def get_person(name: NamePath, service: Services, _: Enroller) -> PersonAnswer:
    """Tell what is known of a person."""
    return person_answer(await _existing(service, name))


@router.delete(
    "/{name}", **call("/v1/people/Ada%20Lovelace -X DELETE", examples.REMOVAL, problems=[Code.PERSON_NOT_FOUND])
)
async def remove_person(name: NamePath, service: Services, _: Enroller) -> RemovalAnswer:
    """Remove a person with all that is stored; the bytes are overwritten."""
    person = _name(name)

    def remove() -> RemovalAnswer:
        removal = service.gallery.remove(person)
        return RemovalAnswer(names=list(removal.names), samples=removal.samples, pending=removal.pending)

    return await run_in_threadpool(remove)


@router.get(
    "/{name}/samples", **call("/v1/people/Ada%20Lovelace/samples", examples.SAMPLES, problems=[Code.PERSON_NOT_FOUND])
)
async def list_samples(name: NamePath, service: Services, _: Enroller) -> SamplesAnswer:
    """List a person's samples."""
    person = await _existing(service, name)
    samples = await run_in_threadpool(service.gallery.samples, person.name)
    return SamplesAnswer(name=person.name, samples=[sample_answer(sample) for sample in samples])


@router.post(
    "/{name}/samples",
    **call(
        "/v1/people/Ada%20Lovelace/samples -F photo=@3.jpg",
        examples.ENROLMENT,
        body=form_body({"consent": _CONSENT, **_FIELDS}, ["photo"]),
        problems=[Code.PERSON_NOT_FOUND, Code.NO_PHOTO_ENROLLED],
        status=201,
    ),
)
async def add_samples(name: NamePath, request: Request, service: Services, _: Enroller) -> EnrolmentAnswer:
    """Add photos to a person; where the consent has ended, with a new one.

    A consent takes the place of the one before, with its end: without `expires` it has none. `expires` alone sets
    another end to the one before.
    """
    form = await read_form(request)
    person = await _existing(service, name)
    return await _enrol(service, person.name, person.number, form)


@router.delete(
    "/{name}/samples/{number}",
    **call(
        "/v1/people/Ada%20Lovelace/samples/2 -X DELETE",
        {**examples.REMOVAL, "names": [], "samples": 1},
        problems=[Code.PERSON_NOT_FOUND, Code.SAMPLE_NOT_FOUND],
    ),
)
async def remove_sample(
    name: NamePath, number: Annotated[int, Path(ge=1, lt=2**63)], service: Services, _: Enroller
) -> RemovalAnswer:
    """Remove one sample; the person stays enrolled."""
    person = await _existing(service, name)

    def remove() -> RemovalAnswer:
        if number not in [sample.number for sample in service.gallery.samples(person.name)]:
            raise ProblemError(Code.SAMPLE_NOT_FOUND, f"the person has no sample {number}")
        removal = service.gallery.remove_sample(person.name, number)
        return RemovalAnswer(names=[], samples=removal.samples, pending=removal.pending)

    return await run_in_threadpool(remove)


class JsonLines(PlainTextResponse):
    """One JSON object a line."""

    media_type = "application/x-ndjson"


@router.get(
    "/{name}/export",
    response_class=JsonLines,
    **call(
        "/v1/people/Ada%20Lovelace/export",
        examples.EXPORT,
        problems=[Code.PERSON_NOT_FOUND],
        media_type=JsonLines.media_type,
    ),
)
async def export_person(name: NamePath, service: Services, _: Administrator) -> JsonLines:
    """Give out all that is stored about a person, embeddings too, as JSON lines that `mien gallery import` reads."""
    person = await _existing(service, name)
    text = await run_in_threadpool(lambda: "".join(to_lines(service.contract, service.gallery.export([person.name]))))
    return JsonLines(text)


async def _enrol(service: Service, name: str, expected: int, form: Form) -> EnrolmentAnswer:
    photos, expires, consent = form.photos("photo"), _expires(form), _consent(form)
    overrule = form.flag("overrule")

    def enrol() -> EnrolmentAnswer:
        unreadable: dict[int, PhotoReport] = {}
        opened = _opened(photos, service.settings.limits.pixels, unreadable)
        reports = iter(
            enroll_photos(
                service.gallery,
                service.mien,
                name,
                opened,
                consent=consent,
                expires=expires,
                overrule=overrule,
                expected=expected,  # others may enrol or remove people while the photos are looked at
            )
        )
        answers = report_answers([unreadable.get(k) or next(reports) for k in range(len(photos))])
        if not any(answer.enrolled for answer in answers):
            detail = "no photo passed the checks; `photos` tells what is wrong with each"
            extra = {"photos": [answer.model_dump() for answer in answers]}
            raise ProblemError(Code.NO_PHOTO_ENROLLED, detail, extra=extra)
        return EnrolmentAnswer(person=person_answer(service.gallery.person(name)), photos=answers)

    return await service.lanes.run(enrol)


def _opened(photos: Sequence[bytes], max_pixels: int, unreadable: dict[int, PhotoReport]) -> Iterator[Photo]:
    """Open one after the other; what cannot be read is noted at its position and left out."""
    for position, photo in enumerate(photos):
        try:
            opened = open_photo(photo, max_pixels)
        except ImageError as error:
            unreadable[position] = PhotoReport("", enrolled=False, problems=(str(error),))
        else:
            yield opened


async def _existing(service: Service, name: str) -> Person:
    person = await run_in_threadpool(_find, service, _name(name))
    if person is None:
        raise ProblemError(Code.PERSON_NOT_FOUND, _NOBODY)
    return person


def _find(service: Service, name: str) -> Person | None:
    try:
        return service.gallery.person(name)
    except PersonNotFoundError:
        return None


def _name(name: str | None) -> str:
    """As the gallery wants it."""
    try:
        return checked_name(name or "")
    except GalleryError as error:
        raise ProblemError(Code.REQUEST_INVALID, str(error)) from error


def _consent(form: Form) -> str:
    consent = (form.text("consent") or "").strip()
    if len(consent) > MAX_CONSENT:
        raise ProblemError(Code.REQUEST_INVALID, f"the consent has more than {MAX_CONSENT} characters; shorten it")
    return consent


def _expires(form: Form) -> datetime | None:
    text = form.text("expires")
    if not text:
        return None
    try:
        end = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProblemError(Code.REQUEST_INVALID, "expires is no time; send it as 2030-12-31T00:00:00Z") from error
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    if not datetime.now(UTC) < end < LATEST:
        raise ProblemError(Code.REQUEST_INVALID, "expires is not in the future; send when the consent ends")
    return end
