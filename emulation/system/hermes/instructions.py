"""Carries out instructions in sessions, one at a time in each."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass

from ..locks import Locks
from .edit_service import EditService, InstructionFailed, Work
from .in_flight import InHand
from .sessions import Session, Sessions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a client is told of an instruction."""

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
    def __init__(self, sessions: Sessions, edit: EditService, in_hand: InHand) -> None:
        self._sessions = sessions
        self._edit = edit
        self._in_hand = in_hand
        self._one_at_a_time = Locks()

    async def carry_out(self, session: Session, work: Work) -> Outcome:
        """Have the work done and the session's page served; then the session is active.

        An instruction that cannot be done is an outcome. Raises `AwsError` when the work may be done later.
        """
        with self._in_hand.session(session.session_id):
            async with self._one_at_a_time[session.session_id]:
                outcome = await self._carried_out(session, work)
        log.info(
            "instruction carried out" if outcome.succeeded else "instruction failed",
            extra={"sessionId": session.session_id, "workId": work.work_id, "outcome": outcome.message[:500]},
        )
        return outcome

    async def _carried_out(self, session: Session, work: Work) -> Outcome:
        task_arn, container_ip = session.fargate_task_arn, session.container_ip
        try:
            done = await self._edit.carry_out(session, work)
        except InstructionFailed as failed:
            outcome = Outcome(False, str(failed))
        else:
            outcome = Outcome(True, done.summary, done.commit, done.changed)
            task_arn, container_ip = done.task_arn, done.container_ip
        # With more to come the session stays initializing: what its page shows is not the last word.
        if await self._edit.is_ready(session) and self._in_hand.count(session.session_id) == 1:
            await self._sessions.activate(session, task_arn, container_ip)
        return outcome
