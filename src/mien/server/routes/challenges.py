"""Authentication by expression: a challenge, frames pushed by the client, the result."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Path, Request, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from mien.authentication import Policy, State, Status, observe
from mien.detection import AS_IT_IS
from mien.errors import AuthenticationError, GalleryError, ImageError, MienError
from mien.server import examples
from mien.server.access import Analyser, admitted
from mien.server.answers import challenge_answer, challenge_result
from mien.server.bodies import read_photo
from mien.server.describe import BODY, call, photo_body
from mien.server.keys import Role
from mien.server.problems import Code, ProblemError, problem_of
from mien.server.schemas import ChallengeAnswer, ChallengeRequest, ChallengeResult
from mien.server.service import Service, Services
from mien.server.sockets import accept, end, problem_text

router = APIRouter(prefix="/v1/challenges", tags=["challenges"])

Id = Annotated[str, Path(min_length=1, max_length=64)]


@router.post(
    "",
    **call(
        """/v1/challenges -H 'Content-Type: application/json' -d '{"person": "Ada Lovelace"}'""",
        examples.CHALLENGE,
        problems=[Code.CHALLENGE_IMPOSSIBLE, Code.PERSON_LOCKED, *BODY[:2]],
        status=201,
    ),
)
async def create_challenge(wanted: ChallengeRequest, service: Services, caller: Analyser) -> ChallengeAnswer:
    """Begin a challenge: a neutral face, then random expressions, once, in time.

    It spends one of the few attempts that this key has in the person's name, and needs a model with both answers. A
    name that nobody has is answered like any other, so that a key cannot find out who is enrolled; such a challenge is
    never accepted. What challenges do not stop is told in `docs/authentication.md`.
    """
    now = time.time()

    def begin() -> State:
        return service.challenges.begin(wanted.person, caller.id, _policy(service), now)

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
    await accept(socket)
    try:
        caller = admitted(socket, Role.ANALYSE)
        await _converse(socket, service, id, caller.id)
    except WebSocketDisconnect:
        return
    except MienError as error:
        await end(socket, problem_of(error))
    except ProblemError as problem:
        await end(socket, problem)


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
            await socket.send_text(problem_text(socket, problem_of(error)))
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
        return service.challenges.see(challenge, observe(arrived, faces, service.challenges.references(challenge)))

    return challenge_answer(await run_in_threadpool(step), time.time())


def _policy(service: Service) -> Policy:
    """The rules of a new challenge."""
    try:
        threshold = service.gallery.thresholds.verification
    except GalleryError:  # there is none
        threshold = None
    try:
        return service.rules.policy(service.contract, threshold)
    except AuthenticationError as error:
        raise ProblemError(Code.CHALLENGE_IMPOSSIBLE, str(error)) from error
