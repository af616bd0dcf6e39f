"""Runs a command in a container by ECS Exec and returns its output and exit code.

ECS Exec returns neither: it is a terminal, and the plugin always exits 0. So the command runs in a subshell between two
marks that only `printf` assembles (an echo of the command line cannot match them); the last mark has the exit code.

    client  --ExecuteCommand, channel-->  shell    prints the ready mark and waits for a line
            --------- newline --------->           start mark, command, end mark with the exit code

Before that newline nothing has run, so a new session replaces a broken one. After it the command may have run, so it is
never sent twice.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from .channel import ChannelError, EncryptionDemanded, open_channel
from .marks import Marks
from .secrecy import keep_out_of_logs

_SESSIONS = 3
"""Sessions opened for a command, at most, while it has not been released."""
_NOT_YET = ("TargetNotConnectedException", "execute command agent isn't running", "agent isn\u2019t running")
"""ECS's errors while an agent starts, and for a task whose agent will never run."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class ExecError(Exception):
    """The command did not run, or its end was not received; names the task, the output so far and the next step."""

    def __init__(
        self, message: str, *, definite: bool = False, attempts: int = 0, broken: Sequence[str] = (), output: str = ""
    ) -> None:
        super().__init__(message)
        self.definite = definite
        """Whether the command certainly did not run. Otherwise it may have run partly, wholly, or be running."""
        self.attempts = attempts
        """Number of requested sessions."""
        self.broken = tuple(broken)
        """The errors of the sessions that broke before the command was released."""
        self.output = output
        """The output received."""


@dataclass(frozen=True)
class ExecResult:
    """`output` is stdout and stderr together (a terminal has one stream); `seconds` is the wall time of the session
    in which the command ran."""

    output: str
    exit_code: int
    seconds: float
    opening: float = 0.0
    """Seconds of these until the command was released in the shell."""
    attempts: int = 1
    """Sessions opened until the command ran, once."""
    broken: tuple[str, ...] = ()
    """The errors of the earlier sessions."""


@dataclass
class _Attempt:
    """One session."""

    marks: Marks
    released: bool = False
    """Whether the command was released: the newline was sent."""


class EcsExec:
    """Runs commands in the containers of a cluster, one session per task at a time, as ECS allows."""

    def __init__(
        self,
        ecs: Any,
        cluster: str,
        *,
        credentials: Any = None,
        token: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        """`ecs` is a boto3 ECS client; `credentials` (botocore's) sign the data channel."""
        keep_out_of_logs()
        self._ecs = ecs
        self._cluster = cluster
        self._credentials = credentials
        self._token = token
        self._one_at_a_time: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(
        self, task_arn: str, command: str, *, container: str | None = None, within: float = 30.0
    ) -> ExecResult:
        """Run `command` with /bin/sh in the container; `within`, in wall seconds, covers everything.

        The command runs at most once. Raises `ExecError` when three sessions fail or the command's end is not received;
        at once when a retry cannot help: the task has stopped, is unknown, or was started without
        `enableExecuteCommand`, or its cluster demands encryption.
        """
        __tracebackhide__ = True
        attempts: list[_Attempt] = []
        broken: list[str] = []
        encrypted = False
        try:
            async with asyncio.timeout(within), self._one_at_a_time[task_arn]:
                while not attempts or (len(attempts) < _SESSIONS and not attempts[-1].released and not encrypted):
                    attempts.append(_Attempt(Marks(self._token())))
                    try:
                        result = await self._once(attempts[-1], task_arn, command, container)
                        return replace(result, attempts=len(attempts), broken=tuple(broken))
                    except ChannelError as error:
                        broken.append(str(error))
                        encrypted = isinstance(error, EncryptionDemanded)
            seen = broken.pop()
        except TimeoutError:
            seen = f"no end of the command within {within:g} s" + ("" if attempts else ", another one held the task")
        except ExecError as error:
            error.attempts, error.broken = len(attempts), tuple(broken)
            raise
        last = attempts[-1] if attempts else _Attempt(Marks(""))
        output = last.marks.so_far()
        before = f" (and before that: {'; '.join(broken)})" if broken else ""
        raise ExecError(
            f"expected `{_shortened(command)}` to run in task {task_arn.rsplit('/', 1)[-1]} of {self._cluster}, last "
            f"seen: {seen}{before}. Received so far: {_tail(output)}. {self._next(last, task_arn, encrypted)}",
            definite=not last.released,
            attempts=len(attempts),
            broken=broken,
            output=output,
        )

    def _next(self, last: _Attempt, task_arn: str, encrypted: bool) -> str:
        if last.released:
            how = "It started, and its end was not seen" if last.marks.started else "It may have started"
            return (
                f"{how}, so it is not sent again: look at what it did before you repeat it, and at the task: "
                f"aws ecs describe-tasks --cluster {self._cluster} --tasks {task_arn}"
            )
        if encrypted:
            return (
                f"It did not run. Take the key off the cluster: aws ecs update-cluster --cluster {self._cluster} "
                "--configuration executeCommandConfiguration={logging=DEFAULT}; or, on AWS, look by hand with AWS's "
                "own session-manager-plugin"
            )
        return (
            "It did not run. Look at the task's managedAgents: "
            f"aws ecs describe-tasks --cluster {self._cluster} --tasks {task_arn}"
        )

    async def _once(self, attempt: _Attempt, task_arn: str, command: str, container: str | None) -> ExecResult:
        loop = asyncio.get_running_loop()
        started = loop.time()
        marks, opening = attempt.marks, 0.0
        session = await self._session(task_arn, marks.wrapped(command), container)
        async with open_channel(session, credentials=self._credentials, region=self._ecs.meta.region_name) as channel:
            async for chunk in channel.output():
                marks.feed(chunk)
                if not attempt.released and marks.ready:
                    attempt.released = True
                    opening = loop.time() - started
                    await channel.send(b"\n")
                if (end := marks.end()) is not None:
                    return ExecResult(*end, loop.time() - started, opening)
        said = (channel.closed_with or "").strip()
        raise ChannelError("the session ended before the command did" + (f": {said}" if said else ""))

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
                    raise ExecError(f"ExecuteCommand was refused: {error}", definite=True) from error
                if (why := await asyncio.to_thread(self._never, task_arn)) is not None:
                    refusal = f"ExecuteCommand was refused for good, because {why}: {error}"
                    raise ExecError(refusal, definite=True) from error
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                session: dict[str, str] = answer["session"]
                return session

    def _never(self, task_arn: str) -> str | None:
        """Why the task's agent will never run; None while it may start, or when ECS does not answer."""
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


def _tail(output: str, limit: int = 400) -> str:
    if not output:
        return "no output at all"
    return repr(output) if len(output) <= limit else f"{len(output)} characters, the last ones {output[-limit:]!r}"


def _shortened(command: str, limit: int = 120) -> str:
    return command if len(command) <= limit else command[:limit] + "…"
