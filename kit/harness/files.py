"""Commands in the containers and files in the workspace, by ECS Exec: the only way in that real AWS offers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from ..core.eventually import NotYet
from ..system.facts import Service
from .context import Context
from .services import Services

_SAFE_PATH = re.compile(r"^\$WORKSPACE_PATH(/[A-Za-z0-9._@+-]+)+$")
_EXEC_AT_LEAST = 30.0
"""Wall seconds for one command, the connection included, however fast the clock is."""


class ExecResult(Protocol):
    """What a command did."""

    @property
    def output(self) -> str: ...

    @property
    def exit_code(self) -> int: ...

    @property
    def seconds(self) -> float:
        """Wall seconds, from ExecuteCommand to the end of the output."""
        ...

    @property
    def opening(self) -> float:
        """Of these, until there was a session in which the command could run."""
        ...

    @property
    def attempts(self) -> int:
        """Sessions opened until the command ran; it ran once."""
        ...

    @property
    def broken(self) -> Sequence[str]:
        """How the sessions before ended."""
        ...


class Exec(Protocol):
    """Runs shell commands in the containers of one cluster."""

    async def run(
        self, task_arn: str, command: str, *, container: str | None = None, within: float = ...
    ) -> ExecResult:
        """Run `command` with /bin/sh in a task's container; `within` is wall seconds.

        Raises `ExecError` when the command could not be run or its end was never seen; a command that fails is a
        result with its exit code. It runs once at most.
        """
        ...


class Files:
    """Looks into the containers."""

    def __init__(self, context: Context, services: Services) -> None:
        self._context = context
        self._services = services
        self._exec: Exec | None = None

    async def run(self, command: str, *, service: Service = "edit", task_arn: str | None = None) -> ExecResult:
        """Run a shell command in a running task of a service: in this one, or in the one that started last.

        Raises LookupError when the service has no running task, or one that ECS Exec may not enter.
        """
        return await self.run_in(
            task_arn or await self._running(service), self._context.system.container(service), command
        )

    async def run_in(self, arn: str, container: str, command: str) -> ExecResult:
        """Run a shell command in this container of this task."""
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        context = self._context
        client = await self._client()
        within = max(_EXEC_AT_LEAST, context.clock.patience(context.settings.timeouts.exec))
        with context.history.operation("exec", task=arn, command=command[:500]) as operation:
            try:
                result = await client.run(arn, command, container=container, within=within)
            except ExecError as error:
                record = operation.fail if error.definite else operation.info
                record(f"ExecError: {error}", output=error.output[:2000], **_attempts(error.attempts, error.broken))
                raise
            operation.ok(
                exit_code=result.exit_code,
                output=result.output[:2000],
                seconds=round(result.seconds, 4),
                **_attempts(result.attempts, result.broken),
            )
        return result

    async def verify_exists(self, path: str) -> ExecResult:
        """Check that a file is in the workspace, seen from a container; `path` begins with `$WORKSPACE_PATH`."""
        __tracebackhide__ = True
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        _refuse_unsafe(path)

        async def look() -> ExecResult:
            # Without a shell's answer nothing is known: each of the two words has to be said.
            try:
                result = await self.run(f'test -f "{path}" && echo EXISTS || echo MISSING')
            except ExecError as error:
                if error.definite:
                    raise
                raise NotYet(str(error)) from error  # looking twice does no harm; each look is in the history
            if result.output.strip() != "EXISTS":
                raise NotYet(f"exit code {result.exit_code}, output {result.output.strip()!r}")
            return result

        return await self._context.eventually(
            look,
            until=lambda _: True,
            within=self._context.settings.timeouts.exec,
            describe=f"the file {path} in the workspace",
            next="look around: aws ecs execute-command … --command 'ls -R $WORKSPACE_PATH'",
        )

    async def read(self, path: str) -> str:
        """A file of the workspace. Raises FileNotFoundError when it cannot be read."""
        _refuse_unsafe(path)
        result = await self.run(f'cat -- "{path}"')
        if result.exit_code != 0:
            raise FileNotFoundError(f"{path}: {result.output.strip()}")
        return result.output

    async def _running(self, service: Service) -> str:
        tasks = [task for task in await self._services.tasks(service) if task["lastStatus"] == "RUNNING"]
        if not tasks:
            raise LookupError(f"service {service} has no running task to run a command in")
        newest = max(tasks, key=lambda task: task["startedAt"])
        if newest.get("enableExecuteCommand") is False:
            # ECS would say the same of an agent that is only not up yet, and that is worth waiting for.
            raise LookupError(
                f"task {newest['taskArn'].rsplit('/', 1)[-1]} of service {service} was started without ECS Exec; "
                "set EnableExecuteCommand of the service in its template"
            )
        arn: str = newest["taskArn"]
        return arn

    async def _client(self) -> Exec:
        if self._exec is None:
            from ..ecs_exec import EcsExec  # noqa: PLC0415 - heavy: only where a command is run

            aws: Any = self._context.cloud.aws
            ecs = await self._context.cloud.threads.run(aws.client, "ecs")
            self._exec = EcsExec(ecs, self._context.cloud.stack.cluster_name, credentials=await aws.credentials())
        return self._exec


def _attempts(number: int, broken: Sequence[str]) -> dict[str, Any]:
    return {"attempts": number, **({"broken": list(broken)} if broken else {})}


def _refuse_unsafe(path: str) -> None:
    if not _SAFE_PATH.match(path) or "/.." in path:
        raise ValueError(f"a workspace path looks like $WORKSPACE_PATH/client/user/project/file, got {path!r}")
