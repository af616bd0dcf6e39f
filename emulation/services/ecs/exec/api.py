"""ExecuteCommand and the data channel endpoint.

ExecuteCommand --> pending session with a token --> the client opens the channel --> AgentSession
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from ....core.controller import Call, Context
from ....core.errors import AwsError
from .handshake import Handshake
from .session import AgentSession
from .terminal import Terminal

_TOKEN_TIMEOUT = 20.0
_TOKEN_VALIDITY = 180.0
"""AWS seconds for which a token is valid. ECS does not document the exact time."""


@dataclass(frozen=True)
class ExecTarget:
    """A running container whose agent is connected."""

    cluster_arn: str
    task_arn: str
    container_arn: str
    container_name: str
    start: Callable[[Sequence[str]], Awaitable[Terminal]]
    """Starts a program in it on a terminal. Raises `OSError`."""
    group: str = ""
    """The task's group, for example `service:edit`."""
    kms_key_id: str | None = None
    """The cluster's `executeCommandConfiguration.kmsKeyId`, which requires encrypted sessions."""


class ExecTargetResolver(Protocol):
    def exec_target(self, cluster: str | None, task: str, container: str | None) -> ExecTarget:
        """Raises AWS's ClusterNotFoundException, InvalidParameterException or TargetNotConnectedException."""


@dataclass(frozen=True)
class _PendingSession:
    token: str = field(repr=False)
    argv: tuple[str, ...]
    target: ExecTarget
    until: float


class ExecApi:
    """The operations and web routes of ECS Exec."""

    def __init__(self, ctx: Context, targets: ExecTargetResolver, *, shakes_hands: bool = False) -> None:
        """With `shakes_hands` unencrypted sessions begin with a handshake too, as on AWS outside of ECS."""
        self._ctx = ctx
        self._targets = targets
        self._shakes_hands = shakes_hands
        self._pending: dict[str, _PendingSession] = {}
        self._open: set[web.WebSocketResponse] = set()

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/data-channel/{session_id}", self._data_channel, name="ssmmessages.OpenDataChannel")]

    async def stop(self) -> None:
        """End every open session."""
        await asyncio.gather(*(socket.close() for socket in list(self._open)))

    async def execute_command(self, call: Call) -> dict[str, Any]:
        params = call.params
        if not params.get("interactive"):
            raise AwsError("InvalidParameterException", "Interactive is the only mode supported currently.")
        target = self._targets.exec_target(params.get("cluster"), params["task"], params.get("container"))
        try:
            argv = tuple(shlex.split(params["command"]))
        except ValueError as error:
            raise AwsError("InvalidParameterException", f"Unable to parse the command: {error}") from error
        if not argv:
            raise AwsError("InvalidParameterException", "Command cannot be empty.")
        now = self._ctx.clock.now()
        self._pending = {key: value for key, value in self._pending.items() if value.until > now}
        session_id = f"ecs-execute-command-{self._ctx.ids.alnum(17)}"
        token = self._ctx.ids.hex(64)
        self._pending[session_id] = _PendingSession(token, argv, target, now + _TOKEN_VALIDITY)
        stream = self._ctx.endpoint().replace("http", "ws", 1)
        return {
            "clusterArn": target.cluster_arn,
            "containerArn": target.container_arn,
            "containerName": target.container_name,
            "interactive": True,
            "taskArn": target.task_arn,
            "session": {
                "sessionId": session_id,
                "streamUrl": f"{stream}/v1/data-channel/{session_id}?role=publish_subscribe",
                "tokenValue": token,
            },
        }

    async def resume_session(self, call: Call) -> dict[str, Any]:
        # An empty token tells the plugin that the session has timed out.
        return {"SessionId": call.params["SessionId"], "TokenValue": "", "StreamUrl": ""}

    async def terminate_session(self, call: Call) -> dict[str, Any]:
        self._pending.pop(call.params["SessionId"], None)
        return {"SessionId": call.params["SessionId"]}

    async def _data_channel(self, request: web.Request) -> web.WebSocketResponse:
        session_id = request.match_info["session_id"]
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, heartbeat=54)
        await socket.prepare(request)
        waiting = self._pending.pop(session_id, None)
        if not await _opened(socket, waiting):
            reason = f"Channel {session_id}: request to open data channel does not contain token."
            await socket.close(code=1003, message=reason.encode())
            return socket
        assert waiting is not None
        self._open.add(socket)
        try:
            await AgentSession(session_id, socket, self._ctx.clock, self._ctx.ids, self._handshake(waiting.target)).run(
                lambda: self._start(waiting)
            )
        finally:
            self._open.discard(socket)
        return socket

    async def _start(self, session: _PendingSession) -> Terminal:
        await self._ctx.latency.resource(f"exec {session.target.group}").wait("ecs_exec.open")
        return await session.target.start(session.argv)

    def _handshake(self, target: ExecTarget) -> Handshake | None:
        return Handshake(target.kms_key_id) if self._shakes_hands or target.kms_key_id is not None else None


async def _opened(socket: web.WebSocketResponse, waiting: _PendingSession | None) -> bool:
    """Whether the first frame carries this session's token."""
    try:
        hello = await socket.receive(timeout=_TOKEN_TIMEOUT)
        token = json.loads(hello.data).get("TokenValue") if hello.type is WSMsgType.TEXT else None
    except (TimeoutError, ValueError, AttributeError):
        return False
    return waiting is not None and token == waiting.token
