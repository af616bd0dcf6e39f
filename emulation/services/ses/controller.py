"""The SES controller: receiving and sending.

SMTP server --+                                  +--> S3, SNS (-> SQS)
              +--> Reception: receipt rules -----+--MailReturned--> Delivery: bounces
SES API ------+--> Sending --> Delivery --> Outbox
                                  |
                                  +--> Reception, for recipients of this account
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context, Handler, Operation
from ...state.operations import handlers, refuse
from ..controller_base import ControllerBase
from .identities.api import IdentityApi
from .identities.api_v2 import IdentityApiV2
from .identities.store import Identities
from .receiving.actions import Actions
from .receiving.certificate import server_context
from .receiving.reception import Reception
from .receiving.rule_api import RuleApi
from .receiving.rules import RuleSets
from .receiving.smtp_server import SmtpServer
from .sending.api import SendApi
from .sending.api_v2 import SendApiV2
from .sending.delivery import Delivery
from .sending.feedback import Feedback
from .sending.outbox import Outbox
from .sending.statistics import Statistics
from .sending.submission import Sending
from .sending.templates import TemplateApi, Templates
from .v2_errors import with_v2_errors

_NOT_EMULATED: tuple[Operation, ...] = (
    ("ses", "CreateConfigurationSetEventDestination"),
    ("ses", "UpdateConfigurationSetEventDestination"),
)
"""The base would store these without effect: events are published only to the topics of identities."""
GRACE = 2.0
"""Wall seconds in which mail in transit is still delivered when the cloud stops."""


class Ses(ControllerBase):
    """SES for one account and region. `port` is the SMTP server's; 0 takes a free one."""

    def __init__(self, ctx: Context, port: int = 0) -> None:
        self._ctx = ctx
        self._tasks = BackgroundTasks(ctx.log)
        self.outbox = Outbox()
        rules, identities, statistics, actions = RuleSets(), Identities(ctx), Statistics(ctx.clock), Actions(ctx)
        reception = Reception(ctx, rules, identities, actions, self._tasks)
        delivery = Delivery(ctx, self.outbox, reception, Feedback(ctx, identities, statistics), self._tasks)
        sending, templates = Sending(ctx, identities, statistics, delivery), Templates(ctx)
        template_api = TemplateApi(ctx, templates)
        send_api = SendApi(sending, templates, statistics)
        self._v1 = (RuleApi(ctx, rules, actions), IdentityApi(ctx, identities), send_api, template_api)
        self._v2 = (IdentityApiV2(ctx, identities), SendApiV2(sending, templates, statistics), template_api)
        self._certificate: ssl.SSLContext | None = None
        self._smtp_server = SmtpServer(reception, region=ctx.region, port=port, certificate=self._tls)

    @property
    def smtp_address(self) -> str:
        """The address of the SMTP server, "127.0.0.1:port", once started."""
        return self._smtp_server.address

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            **dict.fromkeys(_NOT_EMULATED, refuse),
            **handlers("ses", *self._v1),
            **with_v2_errors(handlers("sesv2", *self._v2)),
        }

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"outbox": self._show_outbox}

    async def start(self) -> None:
        await self._smtp_server.open()

    async def stop(self) -> None:
        await self._smtp_server.close()
        await self._tasks.stop(GRACE)

    async def settle(self) -> None:
        """Wait until every accepted mail is processed."""
        await self._tasks.settle()

    def _tls(self) -> ssl.SSLContext:
        if self._certificate is None:
            hostname = f"inbound-smtp.{self._ctx.region}.amazonaws.com"
            self._certificate = server_context(self._ctx.workdir, hostname, self._ctx.clock)
        return self._certificate

    async def _show_outbox(self) -> Any:
        return self.outbox.to_json()
