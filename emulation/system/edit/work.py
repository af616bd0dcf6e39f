"""Carries out works: one at a time in a workspace, each exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from .. import agent, names
from ..agent import Plan
from ..agent.reader import normalised
from ..clock import Clock
from .git import GitError
from .projects import Projects
from .repository import Repository
from .workspace import Workspace, lock_name

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """A job to carry out, with validated names."""

    session_id: str
    client_id: str
    user_id: str
    thread_id: str
    work_id: str
    instruction: str

    @property
    def branch(self) -> str:
        return names.branch(self.thread_id)


@dataclass(frozen=True)
class Done:
    """What a work came to; the same for everybody who asks for the same work."""

    commit: str
    changed: list[str]
    summary: str


class Worker:
    def __init__(
        self,
        workspace: Workspace,
        projects: Projects,
        clock: Clock,
        threads: Executor,
        on_commit: Callable[[Order], None],
    ) -> None:
        """`on_commit` is called for each job that made a commit."""
        self._workspace = workspace
        self._projects = projects
        self._clock = clock
        self._threads = threads
        self._on_commit = on_commit
        self._under_way: dict[str, asyncio.Task[Done]] = {}

    async def carry_out(self, order: Order) -> Done:
        """Carry out a work, or join it when it is under way, or tell what it came to when it was done before.

        It goes on when its caller goes away. Raises `NotUnderstood` or `CannotDo`, which leave everything as
        it was, and `GitError`.
        """
        task = self._under_way.get(order.work_id)
        if task is None:
            task = asyncio.create_task(self._carry_out(order), name=f"work {order.work_id}")
            self._under_way[order.work_id] = task
            task.add_done_callback(partial(self._ended, order.work_id))
        return await asyncio.shield(task)

    async def finish(self, within: float) -> None:
        """Give running jobs so many AWS seconds to end; the client repeats the others."""
        if tasks := list(self._under_way.values()):
            await self._clock.wait(tasks, within)

    async def _carry_out(self, order: Order) -> Done:
        async with self._workspace.lock(lock_name(order.client_id, order.user_id)):
            repository = await self._projects.prepared(order.client_id, order.user_id)
            start = await self._in_thread(repository.check_out, order.branch)
            commit = await self._in_thread(repository.find_work, order.branch, order.work_id)
            if commit is None:
                drawn = await self._in_thread(_planned, repository, start, order.instruction)
                await self._clock.sleep(drawn.seconds)
                await self._in_thread(repository.commit, drawn.changes, _message(order, drawn))
                self._on_commit(order)
            done = await self._in_thread(_outcome, repository, commit or repository.head(order.branch) or start)
            await self._push(repository, order)
        log.info("work done", extra={"workId": order.work_id, "sessionId": order.session_id, "commit": done.commit})
        return done

    async def _push(self, repository: Repository, order: Order) -> None:
        """The commit is safe on the workspace; a remote that refuses it is news for the log, not for the client."""
        try:
            await self._in_thread(repository.push, order.branch)
        except GitError as error:
            log.error("the branch was not pushed", extra={"branch": order.branch, "cause": str(error)})

    def _ended(self, work_id: str, task: asyncio.Task[Done]) -> None:
        self._under_way.pop(work_id, None)
        if not task.cancelled() and (error := task.exception()):
            log.info("work failed", extra={"workId": work_id, "cause": str(error)[:500]})

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))


def _planned(repository: Repository, commit: str, instruction: str) -> Plan:
    files = repository.snapshot(commit)
    plan = agent.plan(agent.parse(instruction), files)
    existing = files.paths()
    gone = [path for path, content in plan.changes.items() if content is None and path not in existing]
    for path in gone:
        del plan.changes[path]
    return plan


def _message(order: Order, plan: Plan) -> str:
    """Summary, the instruction as it was given, and trailers by which the work is known again."""
    instruction = normalised(order.instruction).strip()
    trailers = {"Session-Id": order.session_id, "Thread-Id": order.thread_id, "Work-Id": order.work_id}
    return f"{plan.summary}\n\n{instruction}\n\n" + "".join(f"{name}: {value}\n" for name, value in trailers.items())


def _outcome(repository: Repository, commit: str) -> Done:
    subject, changed = repository.made_by(commit)
    return Done(commit, changed, subject)
