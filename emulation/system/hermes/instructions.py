"""Carries out instructions in sessions, one at a time in each."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass

from ..locks import Locks
from .edit_service import EditService, InstructionFailed, Job
from .in_flight import InFlight
from .sessions import Session, Sessions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The result of an instruction, for the reply to the client."""

    succeeded: bool
    message: str
    """The summary of what was done, or why it was not."""
    commit: str = ""
    changed: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        fields = json.loads(text)
        return cls(fields["succeeded"], fields["message"], fields["commit"], tuple(fields["changed"]))


class Instructions:
    def __init__(self, sessions: Sessions, edit: EditService, in_flight: InFlight) -> None:
        self._sessions = sessions
        self._edit = edit
        self._in_flight = in_flight
        self._one_at_a_time = Locks()

    async def carry_out(self, session: Session, job: Job) -> Outcome:
        """Carry out a job and wait until the session's page is served; then the session is active.

        Its end counts as activity in any case: a session does not expire because its job or its page took long.

        An instruction that cannot be done is an outcome. Raises `AwsError` when the job may be done later.
        """
        with self._in_flight.session(session.session_id):
            async with self._one_at_a_time[session.session_id]:
                outcome = await self._carried_out(session, job)
        log.info(
            "instruction carried out" if outcome.succeeded else "instruction failed",
            extra={"sessionId": session.session_id, "workId": job.job_id, "outcome": outcome.message[:500]},
        )
        return outcome

    async def _carried_out(self, session: Session, job: Job) -> Outcome:
        task_arn, container_ip = session.fargate_task_arn, session.container_ip
        try:
            done = await self._edit.carry_out(session, job)
        except InstructionFailed as failed:
            outcome = Outcome(False, str(failed))
        else:
            outcome = Outcome(True, done.summary, done.commit, done.changed)
            task_arn, container_ip = done.task_arn, done.container_ip
        # With more to come the session stays initializing: what its page shows is not the last word.
        if await self._edit.is_ready(session) and self._in_flight.count(session.session_id) == 1:
            await self._sessions.activate(session, task_arn, container_ip)
        else:
            await self._sessions.keep_alive(session)
        return outcome
