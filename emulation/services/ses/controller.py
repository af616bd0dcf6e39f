"""The mail controller: SES receiving and sending, made real.

SMTP door --+                              +--> S3, SNS (-> SQS -> whoever reads)
            +--> receiving: receipt rules -+
SES API ----+-> sending -> post -> outbox  +--> bounces -> post
                             |
                             +--> our own recipients, back to receiving
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context, Handler, Operation, Watcher
from ...core.errors import not_emulated
from .identities.api import IdentityApi
from .identities.api_v2 import IdentityApiV2
from .identities.store import Identities
from .receiving.actions import Actions
from .receiving.certificate import server_context
from .receiving.door import Door
from .receiving.reception import Reception, Returned
from .receiving.rule_api import RuleApi
from .receiving.rules import RuleSets
from .sending.api import SendApi
from .sending.api_v2 import SendApiV2
from .sending.feedback import Feedback
from .sending.outbox import Outbox
from .sending.post import Post
from .sending.statistics import Statistics
from .sending.submission import Sending
from .sending.templates import Templates

_STORED_ONLY: tuple[Operation, ...] = (
    ("ses", "CreateConfigurationSetEventDestination"),
    ("ses", "UpdateConfigurationSetEventDestination"),
)
"""What the base would store and nobody here makes real: events are published for identities' topics only."""


GRACE = 2.0
"""Wall seconds in which mail on its way is still delivered when the cloud stops."""


class Mail:
    """SES for one account and region. `port` is the SMTP door's, 0 takes a free one."""

    def __init__(self, ctx: Context, port: int = 0) -> None:
        self._ctx = ctx
        self._tasks = BackgroundTasks(ctx.log)
        self.outbox = Outbox()
        rules, identities, statistics = RuleSets(), Identities(), Statistics(ctx.clock)
        reception = Reception(ctx, rules, identities, Actions(ctx), self._tasks, give_back=self._give_back)
        self._post = Post(ctx, self.outbox, reception, Feedback(ctx, identities, statistics), self._tasks)
        sending, templates = Sending(ctx, identities, statistics, self._post), Templates(ctx)
        self._apis = (
            RuleApi(ctx, rules),
            IdentityApi(ctx, identities),
            IdentityApiV2(ctx, identities),
            SendApi(sending, templates, statistics),
            SendApiV2(sending, templates, statistics),
            templates,
        )
        self._certificate: Any = None
        self._door = Door(reception, region=ctx.region, port=port, certificate=self._tls)

    @property
    def smtp_address(self) -> str:
        """Where mail comes in, "127.0.0.1:port", once started."""
        return self._door.address

    def handlers(self) -> Mapping[Operation, Handler]:
        handlers: dict[Operation, Handler] = dict.fromkeys(_STORED_ONLY, _refuse)
        for api in self._apis:
            handlers.update(api.handlers())
        return handlers

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"outbox": self._show_outbox}

    async def start(self) -> None:
        await self._door.open()

    async def stop(self) -> None:
        await self._door.close()
        await self._tasks.stop(GRACE)

    async def settle(self) -> None:
        """Wait until every mail taken so far is where it goes."""
        await self._tasks.settle()

    def _give_back(self, returned: Returned) -> None:
        self._post.give_back(returned)

    def _tls(self) -> Any:
        if self._certificate is None:
            hostname = f"inbound-smtp.{self._ctx.region}.amazonaws.com"
            self._certificate = server_context(self._ctx.workdir, hostname, self._ctx.clock)
        return self._certificate

    async def _show_outbox(self) -> Any:
        return self.outbox.to_json()


async def _refuse(call: Any) -> dict[str, Any]:
    raise not_emulated(call.service, call.operation)
