"""Authentication by expression: a challenge, frames pushed by the client, the result."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from mien.authentication import Policy, State, Status, observe
from mien.detection import AS_IT_IS
from mien.errors import AuthenticationError, GalleryError, ImageError, MienError
from mien.server import examples
from mien.server.access import SOCKET_PROTOCOL, Analyser, admitted
from mien.server.answers import challenge_answer, challenge_result
from mien.server.bodies import read_photo
from mien.server.describe import BODY, call, photo_body
from mien.server.keys import Role
from mien.server.problems import Code, ProblemError, problem_of, record
from mien.server.schemas import ChallengeAnswer, ChallengeRequest, ChallengeResult
from mien.server.service import Service, Services

router = APIRouter(prefix="/v1/challenges", tags=["challenges"])

Id = Annotated[str, Path(min_length=1, max_length=64)]


@router.post(
    "",
    **call(
        """/v1/challenges -H 'Content-Type: application/json' -d '{"person": "Ada Lovelace"}'""",
        examples.CHALLENGE,
        problems=[Code.PERSON_NOT_FOUND, Code.CHALLENGE_IMPOSSIBLE, Code.PERSON_LOCKED, *BODY[:2]],
        status=201,
    ),
)
async def create_challenge(wanted: ChallengeRequest, service: Services, _: Analyser) -> ChallengeAnswer:
    """Begin a challenge for somebody who is enrolled: a neutral face, then random expressions, once, in time.

    It spends one of the person's few attempts, and needs a model with both answers. What it does not stop is told in
    `docs/authentication.md`.
    """
    now = time.time()

    def begin() -> State:
        policy = _policy(service)
        try:
            person = service.gallery.person(wanted.person)
        except GalleryError as error:
            raise _nobody(error) from error
        if not person.samples or person.expired(datetime.now(UTC)):
            raise ProblemError(Code.PERSON_NOT_FOUND, "nobody of this name can be authenticated")
        return service.challenges.begin(person.name, policy, service.contract, now)

    return challenge_answer(await run_in_threadpool(begin), now)


@router.get("/{id}", **call("/v1/challenges/ID", examples.RESULT, problems=[Code.CHALLENGE_NOT_FOUND]))
async def get_challenge(id: Id, service: Services, _: Analyser) -> ChallengeResult:  # noqa: A002  the path's name
    """Tell where a challenge stands, and for an hour after its end how it ended."""
    now = time.time()
    return challenge_result(await run_in_threadpool(service.challenges.get, id, now), now)


@router.post(
    "/{id}/frames",
    **call(
        "/v1/challenges/ID/frames -H 'Content-Type: image/jpeg' --data-binary @frame.jpg",
        examples.CHALLENGE,
        body=photo_body(),
        problems=[Code.CHALLENGE_NOT_FOUND, Code.PHOTO_UNUSABLE, Code.MODEL_DIFFERS],
    ),
)
async def push_frame(id: Id, request: Request, service: Services, _: Analyser) -> ChallengeAnswer:  # noqa: A002
    """Push a frame of the camera; its time is that of its arrival. 5 to 15 frames a second are good.

    The same over a WebSocket at this path: send encoded images as binary messages, each answered by a text message, the
    object that this call returns, or a problem. Wait for it before sending the next. A browser, which cannot send
    headers there, offers the subprotocols `mien` and `key.<API key>`.
    """
    photo = await read_photo(request)
    arrived = time.time()
    return await _seen(service, id, photo, arrived)


@router.websocket("/{id}/frames")
async def push_frames(socket: WebSocket, id: str, service: Services) -> None:  # noqa: A002
    """Push frames over a WebSocket; see `push_frame`."""
    offered = socket.scope.get("subprotocols", ())
    await socket.accept(subprotocol=SOCKET_PROTOCOL if SOCKET_PROTOCOL in offered else None)
    try:
        with service.sockets.one():
            caller = await admitted(socket, service, Role.ANALYSE)
            await _converse(socket, service, id, caller.id)
    except WebSocketDisconnect:
        return
    except MienError as error:
        await _refuse(socket, problem_of(error))
    except ProblemError as problem:
        await _refuse(socket, problem)


async def _converse(socket: WebSocket, service: Service, challenge: str, client: str) -> None:
    """Answer frames until the challenge ends; each waits for the client's share of the rate."""
    answer = challenge_answer(await run_in_threadpool(service.challenges.get, challenge, time.time()), time.time())
    await socket.send_text(answer.model_dump_json())
    while answer.status is Status.RUNNING:
        frame = await _next_frame(socket, answer.seconds_left)
        arrived = time.time()
        try:
            if frame is None:
                state = await run_in_threadpool(service.challenges.get, challenge, arrived)
                answer = challenge_answer(state, arrived)
            else:
                await _paced(service, client)
                answer = await _seen(service, challenge, frame, arrived)
        except ImageError as error:
            await socket.send_text(_problem_text(socket, problem_of(error)))
        else:
            await socket.send_text(answer.model_dump_json())
    await socket.close()


async def _next_frame(socket: WebSocket, seconds_left: float) -> bytes | None:
    """The next frame; None when the challenge's time is over."""
    try:
        message = await asyncio.wait_for(socket.receive(), seconds_left + 0.05)
    except TimeoutError:
        return None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    frame = message.get("bytes")
    if not isinstance(frame, bytes):
        raise ProblemError(Code.REQUEST_INVALID, "the message is text; send the encoded image as a binary message")
    return frame


async def _paced(service: Service, client: str) -> None:
    while wait := service.rate.take(client):
        await asyncio.sleep(wait)


async def _seen(service: Service, challenge: str, photo: bytes, arrived: float) -> ChallengeAnswer:
    """Look at a frame, and take it into account."""
    state = await run_in_threadpool(service.challenges.get, challenge, arrived)
    if state.challenge.model_id != service.contract.model_id:
        raise ProblemError(Code.MODEL_DIFFERS, "the challenge was made for another model; create a new one")
    if state.outcome is not None:
        return challenge_answer(state, arrived)
    faces = await service.lanes.faces(photo, AS_IT_IS)

    def step() -> State:
        try:
            references = service.gallery.embeddings(state.challenge.person)
        except GalleryError as error:
            raise _nobody(error) from error
        if not len(references):
            raise ProblemError(Code.PERSON_NOT_FOUND, "nobody of this name can be authenticated")
        return service.challenges.see(challenge, observe(arrived, faces, references))

    return challenge_answer(await run_in_threadpool(step), time.time())


def _policy(service: Service) -> Policy:
    """The rules of a new challenge."""
    try:
        threshold = service.gallery.thresholds.verification
    except GalleryError as error:
        if error.__cause__ is not None:  # the file fails
            raise
        threshold = None
    try:
        return service.rules.policy(service.contract, threshold)
    except AuthenticationError as error:
        raise ProblemError(Code.CHALLENGE_IMPOSSIBLE, str(error)) from error


def _nobody(error: GalleryError) -> Exception:
    """The problem of an unknown person, unless it is the file that fails."""
    if error.__cause__ is not None:
        return error
    return ProblemError(Code.PERSON_NOT_FOUND, "nobody of this name is enrolled")


async def _refuse(socket: WebSocket, problem: ProblemError) -> None:
    """Tell what is wrong, and close: browsers show scripts nothing of a refused handshake."""
    await socket.send_text(_problem_text(socket, problem))
    await socket.close(1008)


def _problem_text(socket: WebSocket, problem: ProblemError) -> str:
    members: dict[str, Any] = record(problem, socket.scope["state"]["request_id"])
    return json.dumps(members)
