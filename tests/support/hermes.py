"""Hermes inside a test, on a small emulated cloud, with an edit service whose answers the test decides.

async with hermes_world(monkeypatch) as hermes:
    await hermes.mail('Add a page called "Hello"')
    (reply,) = await until(hermes.replies)
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest

from tests.support.hermes_neighbours import FakeEcs, FaultyAws, Metrics, ScriptedEdit
from tests.support.letters import ANN, EDIT, message, notification
from tests.support.system import REGION, SCALE, listening, url_of
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Context
from webordinary_testkit.emulation.services.ses import Ses
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.system.answers import serve
from webordinary_testkit.emulation.system.clock import Clock
from webordinary_testkit.emulation.system.hermes.app import Hermes
from webordinary_testkit.emulation.system.hermes.config import Settings
from webordinary_testkit.emulation.system.ids import Ids


@dataclass
class HermesWorld:
    world: World
    settings: Settings
    edit: ScriptedEdit
    ecs: FakeEcs
    metrics: Metrics
    controller: Ses
    http: aiohttp.ClientSession
    url: str = ""
    refused: set[str] = field(default_factory=set)
    """Operations that are throttled now, as botocore's methods are called."""

    async def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        return await self.world.aws.call(service, operation, **params)

    # ---- HTTP
    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(self.url + path) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: object = None, *, data: bytes | None = None) -> tuple[int, Any]:
        async with self.http.post(self.url + path, json=body if data is None else None, data=data) as response:
            return response.status, await response.json()

    async def activate(self, instruction: str, user: str = ANN, client: str = "acme", **more: str) -> dict[str, Any]:
        body = {"clientId": client, "userId": user, "instruction": instruction, **more}
        status, answer = await self.post("/hermes/api/sessions/activate", body)
        assert status == 201, answer
        return dict(answer)

    async def status(self, session_id: str) -> str:
        _, answer = await self.get(f"/hermes/api/sessions/{session_id}/status")
        return str(answer["status"])

    # ---- Mail
    async def mail(self, text: str, **headers: str) -> None:
        """Put a mail into the queue as SES and SNS do."""
        await self.send(notification(message(text, **headers)))

    async def send(self, body: str) -> None:
        await self.call("sqs", "SendMessage", QueueUrl=self.settings.queue_url, MessageBody=body)

    def replies(self) -> list[EmailMessage]:
        """Everything Hermes has sent, oldest first."""
        sent = self.controller.outbox
        return [email.message_from_bytes(mail.raw, policy=email.policy.default) for mail in sent]

    async def waiting(self, queue: str = "inbound") -> int:
        """Messages in a queue, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.settings.queue_url.rpartition("/")[0] + f"/{queue}"
        answer = await self.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    # ---- Rows
    async def rows(self, table: str = "sessions") -> list[dict[str, Any]]:
        """The rows of a table; of `mails`, those of mails and activations, which have a state."""
        items = (await self.call("dynamodb", "Scan", TableName=table))["Items"]
        rows = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return [row for row in rows if table != "mails" or "state" in row]

    async def put_row(self, **changes: Any) -> None:
        now = self.settings.clock.now()
        row = {
            "sessionId": "TEST_s1",
            "userId": ANN,
            "clientId": "acme",
            "threadId": "t1",
            "status": "active",
            "lastActivity": int(now * 1000),
            "createdAt": "2026-11-22T08:00:00.000Z",
            "ttl": int(now) + 1800,
            "editBranch": "thread-t1",
            "fargateTaskArn": "",
            "containerIp": "10.0.0.7",
            "previewUrl": "http://alb/session/TEST_s1",
            **changes,
        }
        item = {name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in row.items()}
        await self.call("dynamodb", "PutItem", TableName="sessions", Item=item)

    # ---- Hermes itself
    @asynccontextmanager
    async def running(self, *, finish: bool = True) -> AsyncIterator[Hermes]:
        """A Hermes; `finish=False` ends it as a kill would: nothing is given back, nothing is tidied up."""
        aws = FaultyAws(self.settings.clock, self.refused)
        sock = listening()
        self.url = url_of(sock)
        async with aiohttp.ClientSession() as http:
            hermes = Hermes(self.settings, aws, http, Ids())
            runner = await serve(hermes.application(self.settings), sock, grace=0.1)
            tasks = [
                asyncio.create_task(part)
                for part in (hermes.consumer.run(), hermes.watch.run(), hermes.activation.recover())
            ]
            try:
                yield hermes
            finally:
                if finish:
                    await asyncio.gather(hermes.consumer.stop(5), hermes.activation.stop(5))
                hermes.close()
                aws.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await runner.cleanup()


@asynccontextmanager
async def hermes_world(
    monkeypatch: pytest.MonkeyPatch, *, scale: float = SCALE, start: bool = True, **settings: Any
) -> AsyncIterator[HermesWorld]:
    """Tables, queues and mail of a small cloud, a scripted edit service, and (unless told otherwise) a Hermes."""
    edit = ScriptedEdit()
    edit.gate.set()
    ecs, metrics = FakeEcs(edit), Metrics()
    kept: list[Ses] = []

    def mail(context: Context) -> Ses:
        kept.append(Ses(context, 0))
        return kept[0]

    sock = listening()
    edit.url = url_of(sock)
    runner = await serve(edit.application(), sock, grace=0.1)
    async with (
        world(Sqs, mail, lambda _: ecs, lambda _: metrics, scale=scale) as made,
        aiohttp.ClientSession() as http,
    ):
        for name, value in {
            "AWS_ENDPOINT_URL": made.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION,
        }.items():
            monkeypatch.setenv(name, value)
        queue_url = await _furnished(made)
        known = {
            "sessions_table": "sessions",
            "mail_table": "mails",
            "queue_url": queue_url,
            "cluster": "edit-cluster",
            "edit_service": "edit",
            "alb_url": edit.url,
            "mail_from": EDIT,
            "metrics_namespace": "Test/Sessions",
            "metrics_environment": "unit",
            "idle_seconds": 3600.0,
            "session_id_prefix": "TEST_",
            "default_client_id": "acme",
            "host": "127.0.0.1",
            "port": 0,
            "region": REGION,
            "clock": Clock(scale, made.ctx.clock.origin),
        }
        found = HermesWorld(made, Settings(**{**known, **settings}), edit, ecs, metrics, kept[0], http)
        if start:
            async with found.running():
                yield found
        else:
            yield found
    await runner.cleanup()


async def _furnished(made: World) -> str:
    """The tables and queues of the stack; returns the inbound queue's URL."""
    call = made.aws.call
    text = [{"AttributeName": name, "AttributeType": "S"} for name in ("sessionId", "userId", "status", "clientId")]
    await call(
        "dynamodb",
        "CreateTable",
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=text,
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}, {"AttributeName": "userId", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, attribute in (("StatusIndex", "status"), ("ClientIndex", "clientId"))
        ],
    )
    await call(
        "dynamodb",
        "CreateTable",
        TableName="mails",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "messageId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "messageId", "KeyType": "HASH"}],
    )
    await call("sqs", "CreateQueue", QueueName="dead")
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:123456789012:dead", "maxReceiveCount": 3}
    created = await call("sqs", "CreateQueue", QueueName="inbound", Attributes={"RedrivePolicy": json.dumps(redrive)})
    await call("ses", "VerifyDomainIdentity", Domain="it.example.com")
    await call("ses", "VerifyDomainIdentity", Domain="clients.example.org")
    return str(created["QueueUrl"])
