"""Run one command in a container and learn its output and exit code.

ECS Exec gives neither: it is a terminal, and the plugin always exits 0. So the command runs in a subshell
between two marks that only `printf` joins together (an echo of the command line cannot match them), and the
second mark carries the exit code.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shlex
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from kit.ecs_exec.channel import ChannelError, open_channel

_ATTEMPTS = 3
_NOT_YET = ("TargetNotConnectedException", "execute command agent isn't running", "agent isn\u2019t running")
"""What ECS says while an agent starts; and, in the same words, of a task whose agent will never run."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class ExecError(Exception):
    """The command could not be run, or its end was never seen; says on which task, what came back, what to try."""


@dataclass(frozen=True)
class ExecResult:
    """`output` is stdout and stderr together (a terminal has one stream); `seconds` is wall time."""

    output: str
    exit_code: int
    seconds: float


class EcsExec:
    """Commands in the containers of one cluster. One session per task at a time, as ECS allows."""

    def __init__(
        self,
        ecs: Any,
        cluster: str,
        *,
        credentials: Any = None,
        token: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        """`ecs` is a boto3 ECS client; `credentials` (botocore's) sign the data channel."""
        self._ecs = ecs
        self._cluster = cluster
        self._credentials = credentials
        self._token = token
        self._one_at_a_time: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(
        self, task_arn: str, command: str, *, container: str | None = None, within: float = 30.0
    ) -> ExecResult:
        """Run `command` with /bin/sh in the container; `within`, in wall seconds, covers everything.

        Raises `ExecError` when the agent never answers or the output is cut, three times over; at once when ECS
        refuses for good: the task has stopped, is unknown, or was started without `enableExecuteCommand`.
        """
        __tracebackhide__ = True
        last = "nothing yet"
        try:
            async with asyncio.timeout(within), self._one_at_a_time[task_arn]:
                for _ in range(_ATTEMPTS):
                    try:
                        return await self._once(task_arn, command, container)
                    except ChannelError as error:
                        last = str(error)
        except TimeoutError:
            last = f"no end of the command within {within:g} s; before that: {last}"
        raise ExecError(
            f"expected `{_shortened(command)}` to run in task {task_arn.rsplit('/', 1)[-1]} of {self._cluster}, last "
            f"seen: {last}. Look at the task's managedAgents: aws ecs describe-tasks --cluster {self._cluster} "
            f"--tasks {task_arn}"
        )

    async def _once(self, task_arn: str, command: str, container: str | None) -> ExecResult:
        loop = asyncio.get_running_loop()
        started = loop.time()
        mark = self._token()
        session = await self._session(task_arn, _wrapped(command, mark), container)
        seen = bytearray()
        async with open_channel(session, credentials=self._credentials, region=self._ecs.meta.region_name) as channel:
            async for chunk in channel.output():
                seen += chunk
                if (end := _between(mark, seen)) is not None:
                    output, exit_code = end
                    return ExecResult(output, exit_code, loop.time() - started)
            said = (channel.closed_with or "").strip() or seen[-400:].decode("utf-8", "replace").strip()
        raise ChannelError(f"the session ended before the command did: {said or 'no output at all'}")

    async def _session(self, task_arn: str, command: str, container: str | None) -> dict[str, str]:
        request = {"cluster": self._cluster, "task": task_arn, "command": command, "interactive": True}
        if container is not None:
            request["container"] = container
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await asyncio.to_thread(self._ecs.execute_command, **request)
            except ClientError as error:
                if not any(sign in str(error) for sign in _NOT_YET):
                    raise ExecError(f"ExecuteCommand was refused: {error}") from error
                if (why := await asyncio.to_thread(self._never, task_arn)) is not None:
                    raise ExecError(f"ExecuteCommand was refused for good, because {why}: {error}") from error
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                session: dict[str, str] = answer["session"]
                return session

    def _never(self, task_arn: str) -> str | None:
        """Why waiting for the task's agent is in vain; None while it may come, or when ECS does not tell."""
        try:
            answer = self._ecs.describe_tasks(cluster=self._cluster, tasks=[task_arn])
        except ClientError:
            return None
        name = task_arn.rsplit("/", 1)[-1]
        if not answer["tasks"]:
            reasons = ", ".join(failure.get("reason", "") for failure in answer.get("failures", ()))
            return f"there is no task {name} in {self._cluster} ({reasons or 'no reason given'})"
        task = answer["tasks"][0]
        if not task.get("enableExecuteCommand"):
            return f"task {name} was started without enableExecuteCommand, which cannot be changed while it runs"
        if "STOPPED" in (task["desiredStatus"], task["lastStatus"]):
            reason = task.get("stoppedReason")
            return f"task {name} is {task['lastStatus']} and is to be STOPPED" + (f" ({reason})" if reason else "")
        return None


def _wrapped(command: str, mark: str) -> str:
    script = (
        f"stty -opost -echo 2>/dev/null; printf '%s:%s\\n' {mark} B; ( {command}\n) ; "
        f"printf '\\n%s:%s:%d\\n' {mark} E $?"
    )
    return f"/bin/sh -c {shlex.quote(script)}"


def _between(mark: str, seen: bytearray) -> tuple[str, int] | None:
    token = re.escape(mark.encode())
    found = re.search(token + rb":B\r?\n(.*?)\r?\n" + token + rb":E:(\d+)\r?\n", bytes(seen), re.DOTALL)
    if found is None:
        return None
    text = found[1].replace(b"\r\n", b"\n").decode("utf-8", "replace")
    return text.removesuffix("\n"), int(found[2])


def _shortened(command: str, limit: int = 120) -> str:
    return command if len(command) <= limit else command[:limit] + "…"
