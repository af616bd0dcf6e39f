"""The edit service as Hermes sees it: brought up through ECS, worked with through the load balancer."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp

from ..aws import Aws
from ..aws_errors import AwsError, Unavailable
from ..clock import Clock
from ..ids import Ids
from .sessions import Session

log = logging.getLogger(__name__)

DEADLINE = 300.0
"""AWS seconds in which a job must reach a container and be done; a cold start takes 30 to 60."""
POLL = 2.0
"""AWS seconds between two looks whether the service is up."""
ENSURE = 10.0
"""AWS seconds after which the desired count is looked at again: an alarm may have set it to 0 meanwhile."""
READY_WITHIN = 30.0
"""AWS seconds in which a session's page must be served once its job is done."""
_REFUSALS = (400, 413, 422)
"""Statuses by which edit refuses a job; any other failure may be temporary."""
_LONGEST_DELAY = 10.0
_ANSWERS_WITHIN = 90.0
"""AWS seconds for one request."""
_LEAST_TIMEOUT = 10.0
"""Wall seconds: at a fast scale of AWS time, the machine's own work takes as long as ever."""
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)


@dataclass(frozen=True)
class Job:
    job_id: str
    instruction: str


@dataclass(frozen=True)
class Done:
    """Edit's answer to a job."""

    commit: str
    changed: tuple[str, ...]
    summary: str
    task_arn: str
    container_ip: str


class InstructionFailed(Exception):
    """Edit refused the instruction; trying again would not help. The message is for the client."""


class EditService:
    def __init__(
        self,
        aws: Aws,
        http: aiohttp.ClientSession,
        *,
        alb_url: str,
        cluster: str,
        service: str,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._aws = aws
        self._http = http
        self._alb_url = alb_url
        self._cluster = cluster
        self._service = service
        self._clock = clock
        self._ids = ids
        self._coming_up: asyncio.Task[None] | None = None

    async def carry_out(self, session: Session, job: Job) -> Done:
        """Carry out a job. The request is repeated until edit answers; edit recognises it by its id.

        Raises `InstructionFailed`, or `Unavailable` when the deadline is over.
        """
        deadline = self._clock.now() + DEADLINE
        delay = 0.0
        while True:
            status, answer = await self._posted(session, job)
            if status == 200:
                return await self._done(answer)
            if status in _REFUSALS and "message" in answer:
                raise InstructionFailed(str(answer["message"]))
            if self._clock.now() >= deadline:
                raise Unavailable("edit", str(status), f"the job was not done within {DEADLINE:g} s")
            await self.until_up()
            await self._clock.sleep(self._ids.jitter(delay))
            delay = min(_LONGEST_DELAY, delay * 2 or 1.0)

    async def is_ready(self, session: Session) -> bool:
        """Whether the session's own page is served, through the load balancer, within a while."""
        deadline = self._clock.now() + READY_WITHIN
        while True:
            status, _ = await self._request("GET", f"/session/{session.session_id}/health")
            if status == 200:
                return True
            if self._clock.now() >= deadline:
                log.warning("the page is not served", extra={"sessionId": session.session_id, "status": status})
                return False
            await self._clock.sleep(POLL)

    async def until_up(self) -> None:
        """Wait until a container answers; all who wait do so together. Raises `AwsError`."""
        if self._coming_up is None or self._coming_up.done():
            self._coming_up = asyncio.create_task(self._come_up(), name="edit comes up")
        await asyncio.shield(self._coming_up)

    async def ensure_desired(self) -> None:
        """Desired count at least 1. Never less than it is: scaling in is for the alarms. Raises `AwsError`."""
        answer = await self._aws.call("ecs", "describe_services", cluster=self._cluster, services=[self._service])
        if not answer["services"]:
            raise AwsError("ecs:DescribeServices", "ServiceNotFoundException", f"there is no service {self._service}")
        if answer["services"][0]["desiredCount"] < 1:
            log.info("edit is brought up", extra={"cluster": self._cluster, "ecsService": self._service})
            await self._aws.call("ecs", "update_service", cluster=self._cluster, service=self._service, desiredCount=1)

    async def _come_up(self) -> None:
        deadline = self._clock.now() + DEADLINE
        ensure_at = 0.0
        while True:
            status, _ = await self._request("GET", "/api/health")
            if status == 200:
                return
            now = self._clock.now()
            if now >= deadline:
                raise Unavailable("edit", str(status), f"no container has answered within {DEADLINE:g} s")
            if now >= ensure_at:
                await self.ensure_desired()
                ensure_at = self._clock.now() + ENSURE
            await self._clock.sleep(POLL)

    async def _posted(self, session: Session, job: Job) -> tuple[int, dict[str, Any]]:
        body = {
            "clientId": session.client_id,
            "userId": session.user_id,
            "threadId": session.thread_id,
            "workId": job.job_id,
            "instruction": job.instruction,
        }
        return await self._request("POST", f"/api/sessions/{session.session_id}/work", json=body)

    async def _done(self, answer: dict[str, Any]) -> Done:
        return Done(
            commit=str(answer.get("commit", "")),
            changed=tuple(map(str, answer.get("changed", ()))),
            summary=str(answer.get("summary", "")),
            task_arn=str(answer.get("taskArn") or await self._only_task()),
            container_ip=str(answer.get("containerIp", "")),
        )

    async def _only_task(self) -> str:
        """The task that must have done it, when there is only one."""
        try:
            answer = await self._aws.call(
                "ecs", "list_tasks", attempts=1, cluster=self._cluster, serviceName=self._service
            )
        except AwsError as error:
            log.info("the task is not known", extra={"cause": str(error)})
            return ""
        tasks = answer.get("taskArns", [])
        return str(tasks[0]) if len(tasks) == 1 else ""

    async def _request(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer; status 0 when there was none."""
        try:
            async with (
                self._clock.timeout(max(_ANSWERS_WITHIN, _LEAST_TIMEOUT * self._clock.scale)),
                self._http.request(method, self._alb_url + path, timeout=_NO_TIMEOUT, **more) as response,
            ):
                answer = await response.json(content_type=None) if response.status != 204 else {}
                return response.status, answer if isinstance(answer, dict) else {}
        except ValueError:
            return response.status, {}
        except (aiohttp.ClientError, TimeoutError):
            return 0, {}
