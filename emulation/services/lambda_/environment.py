"""An execution environment: one process that handles one event at a time, with credentials of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from ...core.controller import Caller, Context
from ...core.run_token import run_variables
from .function import LATEST, Function
from .function_log import FunctionLog
from .process import Launcher, Process
from .runtime_api import Channel, RuntimeApi, Work
from .runtimes import program

INIT_SECONDS = 10.0
"""AWS seconds that an initialization may take."""
SLACK = 5.0
"""Wall seconds that an invocation may take at least where the clock runs at a fast scale."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""

    payload: bytes
    """The result, or a JSON object with errorMessage and errorType."""
    error: str = ""
    """Unhandled, for a failure of the function."""
    log: bytes = b""
    """The last 4 KiB of its log."""
    alive: bool = True
    """Whether the process can take another event."""


class Environment:
    def __init__(self, ctx: Context, api: RuntimeApi, launcher: Launcher, function: Function) -> None:
        self._ctx = ctx
        self._api = api
        self._launcher = launcher
        self.function = function
        self.id = ctx.ids.alnum(32)
        self._log = FunctionLog(ctx, function, self.id)
        session = f"arn:aws:sts::{ctx.account}:assumed-role/{function.role.rpartition('/')[2]}/{function.name}"
        self._keys = ctx.callers.issue(Caller("function", session))
        self._channel = Channel()
        self._process: Process | None = None
        self._ended: asyncio.Task[int] | None = None

    async def invoke(self, request_id: str, payload: bytes) -> Outcome:
        """Start the process if it does not run, and give it an event."""
        self._log.begin(request_id)
        began = self._ctx.clock.now()
        cold = self._process is None
        with self._ctx.clock.hold(f"the function {self.function.name} runs"):
            failure = await self._initialized() if cold else None
            started = self._ctx.clock.now()
            self._log.line(f"START RequestId: {request_id} Version: {LATEST}")
            outcome = failure or await self._run(request_id, payload)
            if self._process is not None:
                self._process.read()
        now = self._ctx.clock.now()
        pid = self._process.pid if self._process is not None else 0
        tail = await self._log.end(request_id, now - started, started - began if cold else 0, pid)
        return Outcome(outcome.payload, outcome.error, tail, outcome.alive)

    @property
    def alive(self) -> bool:
        return self._ended is None or not self._ended.done()

    async def stop(self) -> None:
        """End the process. Its keys and its address are refused from now on."""
        self._api.channels.pop(self.id, None)
        self._ctx.callers.revoke(self._keys.access_key_id)
        if self._process is not None:
            await self._process.kill()
        if self._ended is not None:
            await self._ended
        await self._log.close()

    async def _initialized(self) -> Outcome | None:
        """Start the process and wait until it asks for an event. The failure, if it does not."""
        self._api.channels[self.id] = self._channel
        await self._log.open()
        try:
            self._process = await self._launcher.start(
                program(self.function), self.function.folder, self._variables(), self._log.write
            )
        except OSError as error:
            return _failed("Runtime.InvalidEntrypoint", f"Error: {error.strerror}")
        self._ended = asyncio.create_task(self._process.wait())
        clock = self._ctx.clock
        await clock.wait(
            {self._channel.ready, self._ended}, clock.patience(INIT_SECONDS, 30), return_when=asyncio.FIRST_COMPLETED
        )
        if not self._channel.ready.done():
            if self._ended.done():
                return _exited(self._ended.result())
            return _failed("Sandbox.Timedout", f"Error: Initialization exceeded {INIT_SECONDS:.2f} seconds")
        failure = self._channel.ready.result()
        return Outcome(failure, "Unhandled", alive=False) if failure else None

    async def _run(self, request_id: str, payload: bytes) -> Outcome:
        clock, function = self._ctx.clock, self.function
        assert self._ended is not None
        limit = clock.patience(function.timeout, SLACK)
        trace = f"Root=1-{int(clock.now()):08x}-{self._ctx.ids.hex(24)};Sampled=0"
        work = Work(request_id, function.arn, payload, int(limit / clock.scale * 1000), trace)
        self._channel.queue.put_nowait(work)
        await clock.wait({work.result, self._ended}, limit, return_when=asyncio.FIRST_COMPLETED)
        if work.result.done():
            kind, body = work.result.result()
            return Outcome(body, "Unhandled" if kind == "error" else "")
        if self._ended.done():
            return _exited(self._ended.result(), request_id)
        text = f"Task timed out after {function.timeout:.2f} seconds"
        self._log.line(f"{clock.utcnow():%Y-%m-%dT%H:%M:%S.%f}Z {request_id} {text}")
        return _failed("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}")

    def _variables(self) -> Mapping[str, str]:
        """The whole environment: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
        ctx, function = self._ctx, self.function
        return {
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "PATH": os.environ.get("PATH", os.defpath),
            "TZ": ":UTC",
            **run_variables(),
            **ctx.clock.environment(),
            **function.variables,
            "AWS_ENDPOINT_URL": ctx.endpoint(),
            "AWS_REGION": ctx.region,
            "AWS_DEFAULT_REGION": ctx.region,
            "AWS_ACCESS_KEY_ID": self._keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_access_key,
            "AWS_SESSION_TOKEN": self._keys.session_token,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.settings.get('Runtime', '')}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log.stream,
            "AWS_LAMBDA_RUNTIME_API": f"{ctx.endpoint().removeprefix('http://')}/_lambda/{self.id}",
            "LAMBDA_TASK_ROOT": str(function.folder),
            "_HANDLER": str(function.settings.get("Handler", "")),
        }


def _failed(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled", alive=False)


def _exited(code: int, request_id: str = "") -> Outcome:
    name = signal.Signals(-code).name[3:].lower() if code < 0 else ""
    how = f"signal: {'killed' if name == 'kill' else name}" if name else f"exit status {code}"
    prefix = f"RequestId: {request_id} " if request_id else ""
    return _failed("Runtime.ExitError", f"{prefix}Error: Runtime exited with error: {how}")
