"""Puts Hermes together and runs it."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
from aiohttp import web

from ..answers import json_errors, serve
from ..aws import Aws
from ..ids import Ids
from ..serving import first_failure_or
from ..table import Table
from . import api
from .activation import Activation
from .config import Settings
from .consumer import Consumer
from .edit_service import EditService
from .in_flight import InFlight
from .inbox import Inbox
from .instructions import Instructions
from .mail_handler import MailHandler
from .opening import Opening
from .replies import Replies
from .reply_limit import ReplyLimit
from .secret import Secret
from .sessions import Sessions
from .watch import Watch

GRACE = 8.0
"""AWS seconds for jobs in flight when Hermes stops; with the long poll, less than the 30 that ECS gives."""


class Hermes:
    """All its parts, wired; nothing runs yet."""

    def __init__(self, settings: Settings, aws: Aws, http: aiohttp.ClientSession, ids: Ids) -> None:
        clock = settings.clock
        preview_base = f"{settings.alb_url}/session"
        in_flight = InFlight()
        edit = EditService(
            aws,
            http,
            alb_url=settings.alb_url,
            cluster=settings.cluster,
            service=settings.edit_service,
            clock=clock,
            ids=ids,
        )
        mails = Table(aws, settings.mail_table, key="messageId")
        inbox, secret = Inbox(mails, clock, owner=ids.uuid()), Secret(mails, ids)
        self.sessions = Sessions(Table(aws, settings.sessions_table, key="sessionId"), clock, preview_base)
        opening = Opening(self.sessions, secret, settings.session_id_prefix)
        instructions = Instructions(self.sessions, edit, in_flight)
        self.activation = Activation(opening, self.sessions, inbox, instructions, clock=clock, ids=ids)
        # The counts are published however busy Hermes is: without them the alarms take the containers away.
        self._aws_of_watch = aws.apart(threads=2)
        self.watch = Watch(
            Sessions(Table(self._aws_of_watch, settings.sessions_table, key="sessionId"), clock, preview_base),
            in_flight,
            self._aws_of_watch,
            clock,
            namespace=settings.metrics_namespace,
            environment=settings.metrics_environment,
            idle_seconds=settings.idle_seconds,
        )
        mail_handler = MailHandler(
            inbox,
            opening,
            instructions,
            Replies(aws, clock, settings.mail_from),
            in_flight,
            secret=secret,
            limit=ReplyLimit(mails, clock),
            own_address=settings.mail_from,
            default_client_id=settings.default_client_id,
            preview_base=preview_base,
        )
        self.consumer = Consumer(aws, settings.queue_url, mail_handler, clock)

    def close(self) -> None:
        """Start no more calls of its own to AWS."""
        self._aws_of_watch.close()

    def application(self, settings: Settings) -> web.Application:
        app = web.Application(middlewares=[json_errors("webordinary-hermes")], client_max_size=2 * 2**20)
        app.add_routes(api.routes(self.sessions, self.activation, self.watch, settings.clock))
        return app


async def run(settings: Settings, aws: Aws, listening: socket.socket, stop: asyncio.Event) -> None:
    """Serve on a socket and consume until `stop` is set; raises what made a part of it fail."""
    async with aiohttp.ClientSession() as http:
        hermes = Hermes(settings, aws, http, Ids())
        consuming = asyncio.create_task(hermes.consumer.run(), name="consumer")
        watching = asyncio.create_task(hermes.watch.run(), name="watch")
        recovering = asyncio.create_task(hermes.activation.recover(), name="recovery")
        runner = await serve(hermes.application(settings), listening, grace=1.0)
        aws.prepare("cloudwatch", "ecs", "sesv2")
        try:
            await first_failure_or(stop, consuming, watching)
        finally:
            recovering.cancel()
            await asyncio.gather(hermes.consumer.stop(GRACE), hermes.activation.stop(GRACE))
            watching.cancel()
            await runner.cleanup()
            hermes.close()
            aws.close()
