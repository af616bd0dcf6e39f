"""Activation by HTTP: answered at once, carried out in the background, picked up again after a crash."""

from __future__ import annotations

import asyncio
import logging

from ..aws_errors import AwsError
from ..clock import Clock
from ..ids import Ids
from ..locks import Locks
from .edit_service import Job
from .inbox import Accepted, Inbox
from .instructions import Instructions
from .opening import Opening
from .sessions import Session, Sessions

log = logging.getLogger(__name__)

RETRY_WINDOW = 60.0
"""AWS seconds in which the same instruction for the same session is a retry: a load balancer's idle timeout."""
_RECOVERY_RETRY = 10.0


class _Repeated(Exception):
    """The client asks again for what it has asked for already."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.session_id)
        self.session = session


class Activation:
    def __init__(
        self,
        opening: Opening,
        sessions: Sessions,
        inbox: Inbox,
        instructions: Instructions,
        *,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._opening = opening
        self._sessions = sessions
        self._inbox = inbox
        self._instructions = instructions
        self._clock = clock
        self._ids = ids
        self._under_way: dict[asyncio.Task[None], tuple[str, str]] = {}
        self._recent: dict[tuple[str, str], float] = {}
        self._ours: set[str] = set()
        """The ids of jobs that this Hermes carries out already, while `recover` may still read them in the table."""
        self._recovered = False
        self._one_at_a_time = Locks()

    async def activate(self, client_id: str, user_id: str, thread_id: str | None, instruction: str) -> Session:
        """The session, in which the instruction will be carried out. Raises `AwsError`, and leaves nothing then."""
        job = Job(self._ids.uuid(), instruction)
        if not self._recovered:
            self._ours.add(job.job_id)

        async def keep(session: Session, is_new: bool) -> None:
            """The instruction is kept before there is a session for it: no session is left half open."""
            if not is_new and self._is_retry(session, instruction):
                raise _Repeated(session)
            await self._inbox.accept(Accepted(session.session_id, job))

        async with self._one_at_a_time[client_id, user_id]:
            try:
                opened = await self._opening.open_or_resume(client_id, user_id, thread_id, keep)
            except _Repeated as repeated:
                log.info("the same activation again", extra={"sessionId": repeated.session.session_id})
                return repeated.session
            except AwsError:
                await self._forgotten(job)
                raise
            self._start(opened.session, Accepted(opened.session.session_id, job))
            return opened.session

    async def recover(self) -> None:
        """Carry on with what an earlier Hermes accepted; tries until the tables can be read."""
        while not self._recovered:
            try:
                for accepted in await self._inbox.accepted():
                    await self._take_up(accepted)
            except AwsError as error:
                log.warning("accepted activations cannot be read", extra={"cause": str(error)})
                await self._clock.sleep(_RECOVERY_RETRY)
            else:
                self._recovered = True
        self._ours.clear()

    async def _take_up(self, accepted: Accepted) -> None:
        if accepted.job.job_id in self._ours:
            return
        session = await self._sessions.get(accepted.session_id)
        if session is not None and session.is_open:
            log.info("an activation is taken up again", extra={"sessionId": session.session_id})
            self._ours.add(accepted.job.job_id)
            self._start(session, accepted)
        else:
            await self._inbox.forget(accepted.job.job_id)

    async def stop(self, within: float) -> None:
        """Let what is under way end, for so many AWS seconds; the next Hermes carries on with the rest."""
        if self._under_way:
            await self._clock.wait(self._under_way, within)
        for task in self._under_way:
            task.cancel()

    def _start(self, session: Session, accepted: Accepted) -> None:
        key = session.session_id, accepted.job.instruction
        self._recent[key] = self._clock.now()
        task = asyncio.create_task(self._carry_out(session, accepted), name=f"activation {accepted.job.job_id}")
        self._under_way[task] = key
        task.add_done_callback(self._under_way.pop)

    def _is_retry(self, session: Session, instruction: str) -> bool:
        oldest = self._clock.now() - RETRY_WINDOW
        self._recent = {key: at for key, at in self._recent.items() if at >= oldest}
        key = session.session_id, instruction
        return key in self._recent or key in self._under_way.values()

    async def _carry_out(self, session: Session, accepted: Accepted) -> None:
        try:
            await self._instructions.carry_out(session, accepted.job)
            await self._inbox.forget(accepted.job.job_id)
        except AwsError as error:
            log.error("an activation was given up", extra={"sessionId": session.session_id, "cause": str(error)})
            await self._given_up(session, accepted)
        except Exception:
            log.exception("an activation failed", extra={"sessionId": session.session_id})
            await self._given_up(session, accepted)

    async def _given_up(self, session: Session, accepted: Accepted) -> None:
        try:
            current = await self._sessions.get(session.session_id)
            if current is not None and current.status == "initializing":
                await self._sessions.expire(current)
            await self._inbox.forget(accepted.job.job_id)
        except AwsError as error:
            log.error("a session was left to expire", extra={"sessionId": session.session_id, "cause": str(error)})

    async def _forgotten(self, job: Job) -> None:
        try:
            await self._inbox.forget(job.job_id)
        except AwsError as error:
            # Without a session it is not taken up again; the table's ttl removes it.
            log.warning("an instruction that was not accepted stays", extra={"cause": str(error)})
