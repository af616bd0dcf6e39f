"""Commands in containers and files in the workspace, by ECS Exec."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.eventually import NotYet
from ..system.facts import Service
from .context import Context
from .services import Services

if TYPE_CHECKING:
    from ..ecs_exec import EcsExec, ExecResult

_WORKSPACE = "$WORKSPACE_PATH/"
_SAFE_PATH = re.compile(r"^\$WORKSPACE_PATH(/[A-Za-z0-9._@+-]+)+$")
_EXEC_AT_LEAST = 30.0
"""Wall seconds for one command, connection included, at any speed of the clock."""


class Files:
    """Runs commands in containers; reads and checks workspace files."""

    def __init__(self, context: Context, services: Services) -> None:
        self._context = context
        self._services = services
        self._exec: EcsExec | None = None

    async def run(self, command: str, *, service: Service = "edit", task_arn: str | None = None) -> ExecResult:
        """Run a shell command in a task of a service, by default the running one that started last.

        Raises LookupError when the service has no running task, or none with ECS Exec enabled.
        """
        return await self.run_in(
            task_arn or await self._running(service), self._context.system.container(service), command
        )

    async def run_in(self, arn: str, container: str, command: str) -> ExecResult:
        """Run a shell command in a container of a task. Raises `ExecError`; see `EcsExec.run`."""
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        context = self._context
        client = await self._client()
        within = max(_EXEC_AT_LEAST, context.clock.patience(context.settings.timeouts.exec) / context.clock.scale)
        with context.history.operation("exec", task=arn, command=command[:500]) as operation:
            try:
                with context.clock.hold("a command by ECS Exec"):
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
        """Check from inside a container that a workspace file exists.

        `path` is relative to the workspace or begins with `$WORKSPACE_PATH`; ValueError for one that is not plain.
        """
        __tracebackhide__ = True
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        path = _checked(path)

        async def look() -> ExecResult:
            # Two words: an empty output means that the shell did not answer.
            try:
                result = await self.run(f'test -f "{path}" && echo EXISTS || echo MISSING')
            except ExecError as error:
                if error.definite:
                    raise
                raise NotYet(str(error)) from error  # safe to repeat; each attempt is in the history
            if result.output.strip() != "EXISTS":
                raise NotYet(f"exit code {result.exit_code}, output {result.output.strip()!r}")
            return result

        return await self._context.eventually(
            look,
            within=self._context.settings.timeouts.exec,
            describe=f"the file {path} in the workspace",
            next="look around: aws ecs execute-command … --command 'ls -R $WORKSPACE_PATH'",
        )

    async def read(self, path: str) -> str:
        """The content of a workspace file. Raises FileNotFoundError when it cannot be read."""
        path = _checked(path)
        result = await self.run(f'cat -- "{path}"')
        if result.exit_code != 0:
            raise FileNotFoundError(f"{path}: {result.output.strip()}")
        return result.output

    async def _running(self, service: Service) -> str:
        tasks = await self._services.running(service)
        if not tasks:
            raise LookupError(f"service {service} has no running task to run a command in")
        newest = max(tasks, key=lambda task: task["startedAt"])
        if newest.get("enableExecuteCommand") is False:
            # ECS gives the same error for an agent that is still starting, which is worth a retry.
            raise LookupError(
                f"task {newest['taskArn'].rsplit('/', 1)[-1]} of service {service} was started without ECS Exec; "
                "set EnableExecuteCommand of the service in its template"
            )
        arn: str = newest["taskArn"]
        return arn

    async def _client(self) -> EcsExec:
        if self._exec is None:
            from ..ecs_exec import EcsExec  # noqa: PLC0415 - heavy: only where a command is run

            aws: Any = self._context.cloud.aws
            ecs = await self._context.cloud.threads.run(aws.client, "ecs")
            self._exec = EcsExec(ecs, self._context.cloud.stack.cluster_name, credentials=await aws.credentials())
        return self._exec


def _attempts(number: int, broken: Sequence[str]) -> dict[str, Any]:
    return {"attempts": number, **({"broken": list(broken)} if broken else {})}


def _checked(path: str) -> str:
    """The path from `$WORKSPACE_PATH` on; the shell in the container expands it."""
    whole = path if path.startswith(_WORKSPACE) else _WORKSPACE + path
    if not _SAFE_PATH.match(whole) or "/.." in whole:
        raise ValueError(f"expected a workspace path such as client/user/project/src/pages/x.astro, got {path!r}")
    return whole
