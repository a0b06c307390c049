"""How a WebSocket begins, and how it ends with a problem."""

from __future__ import annotations

import json

from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.server.problems import ProblemError, record

PROTOCOL = "mien"
"""Subprotocol of the WebSocket. A browser cannot send headers there: it offers this one and ``key.<the key>``."""

POLICY_VIOLATION = 1008
"""The code of RFC 6455 with which a socket is closed after a problem."""


async def accept(socket: WebSocket) -> None:
    """Accept a connection, in the subprotocol if it is offered."""
    offered = socket.scope.get("subprotocols", ())
    await socket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)


async def refuse(socket: WebSocket, problem: ProblemError) -> None:
    """Accept a connection only to tell a problem: browsers show scripts nothing of a refused handshake."""
    try:
        await accept(socket)
        await end(socket, problem)
    except WebSocketDisconnect:
        return


async def end(socket: WebSocket, problem: ProblemError) -> None:
    """Tell a problem, and close."""
    await socket.send_text(problem_text(socket, problem))
    await socket.close(POLICY_VIOLATION)


def problem_text(socket: WebSocket, problem: ProblemError) -> str:
    """A problem as a message."""
    return json.dumps(record(problem, socket.scope["state"]["request_id"]))
