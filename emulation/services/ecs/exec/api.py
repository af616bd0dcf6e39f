"""ExecuteCommand and the data channel's door.

ExecuteCommand --> a session with a token, waiting --> the client opens the channel --> AgentSession
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from ....core.controller import Call, Context, Handler, Operation
from ....core.errors import AwsError
from .handshake import Handshake
from .session import AgentSession
from .terminal import Terminal

_HELLO_WITHIN = 20.0
_UNCLAIMED_AFTER = 180.0
"""AWS seconds a token waits to be used. ECS's are short-lived; the exact time is not documented."""


@dataclass(frozen=True)
class ExecTarget:
    """A running container whose agent is connected."""

    cluster_arn: str
    task_arn: str
    container_arn: str
    container_name: str
    start: Callable[[Sequence[str]], Awaitable[Terminal]]
    """Starts argv inside it on a terminal. Raises `OSError` when the program cannot be run."""
    kms_key_id: str | None = None
    """The cluster's `executeCommandConfiguration.kmsKeyId`: sessions have to be encrypted with it."""


class ExecTargetResolver(Protocol):
    def exec_target(self, cluster: str | None, task: str, container: str | None) -> ExecTarget:
        """Raises AWS's ClusterNotFoundException, InvalidParameterException or TargetNotConnectedException."""
        ...


@dataclass(frozen=True)
class _Waiting:
    token: str = field(repr=False)
    argv: tuple[str, ...]
    target: ExecTarget
    until: float


class ExecApi:
    """Handlers and web routes of ECS Exec; a part of the ECS controller."""

    def __init__(self, ctx: Context, targets: ExecTargetResolver, *, shakes_hands: bool = False) -> None:
        """With `shakes_hands` sessions begin with a handshake also where there is nothing to encrypt, as they do on
        AWS outside of ECS."""
        self._ctx = ctx
        self._targets = targets
        self._shakes_hands = shakes_hands
        self._waiting: dict[str, _Waiting] = {}
        self._open: set[web.WebSocketResponse] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ecs", "ExecuteCommand"): self._execute_command,
            ("ssm", "ResumeSession"): self._resume_session,
            ("ssm", "TerminateSession"): self._terminate_session,
        }

    def web_routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/data-channel/{session_id}", self._data_channel, name="ssmmessages.OpenDataChannel")]

    async def stop(self) -> None:
        """End every open session."""
        await asyncio.gather(*(socket.close() for socket in list(self._open)))

    async def _execute_command(self, call: Call) -> dict[str, Any]:
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
        self._waiting = {key: value for key, value in self._waiting.items() if value.until > now}
        session_id = f"ecs-execute-command-{self._ctx.ids.alnum(17)}"
        token = self._ctx.ids.hex(64)
        self._waiting[session_id] = _Waiting(token, argv, target, now + _UNCLAIMED_AFTER)
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

    async def _resume_session(self, call: Call) -> dict[str, Any]:
        # An empty token tells the plugin that the session has timed out.
        return {"SessionId": call.params["SessionId"], "TokenValue": "", "StreamUrl": ""}

    async def _terminate_session(self, call: Call) -> dict[str, Any]:
        self._waiting.pop(call.params["SessionId"], None)
        return {"SessionId": call.params["SessionId"]}

    async def _data_channel(self, request: web.Request) -> web.WebSocketResponse:
        session_id = request.match_info["session_id"]
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, heartbeat=54)
        await socket.prepare(request)
        waiting = self._waiting.pop(session_id, None)
        if not await _opened(socket, waiting):
            reason = f"Channel {session_id}: request to open data channel does not contain token."
            await socket.close(code=1003, message=reason.encode())
            return socket
        assert waiting is not None
        self._open.add(socket)
        try:
            await AgentSession(session_id, socket, self._ctx.clock, self._ctx.ids, self._handshake(waiting.target)).run(
                lambda: waiting.target.start(waiting.argv)
            )
        finally:
            self._open.discard(socket)
        return socket

    def _handshake(self, target: ExecTarget) -> Handshake | None:
        return Handshake(target.kms_key_id) if self._shakes_hands or target.kms_key_id is not None else None


async def _opened(socket: web.WebSocketResponse, waiting: _Waiting | None) -> bool:
    """Whether the first frame carries this session's token."""
    try:
        hello = await socket.receive(timeout=_HELLO_WITHIN)
        token = json.loads(hello.data).get("TokenValue") if hello.type is WSMsgType.TEXT else None
    except (TimeoutError, ValueError, AttributeError):
        return False
    return waiting is not None and token == waiting.token
