"""The settings of Hermes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import names
from ..clock import Clock
from ..settings import Environment, SettingsError


@dataclass(frozen=True)
class Settings:
    sessions_table: str
    mail_table: str
    """The memory of mails handled, so that each gets exactly one reply."""
    queue_url: str
    cluster: str
    edit_service: str
    alb_url: str
    """The load balancer, as clients see it."""
    mail_from: str
    metrics_namespace: str
    metrics_environment: str
    idle_seconds: float
    """AWS seconds without activity after which a session expires."""
    session_id_prefix: str
    default_client_id: str
    """The client of mails that are not sent to `edit+<clientId>@…`."""
    host: str
    port: int
    region: str
    clock: Clock

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Settings:
        """Raises `SettingsError`."""
        read = Environment(variables)
        settings = cls(
            sessions_table=read.text("SESSIONS_TABLE"),
            mail_table=read.text("MAIL_TABLE"),
            queue_url=read.url("QUEUE_URL"),
            cluster=read.text("CLUSTER"),
            edit_service=read.text("EDIT_SERVICE"),
            alb_url=read.url("ALB_URL"),
            mail_from=read.text("MAIL_FROM"),
            metrics_namespace=read.text("METRICS_NAMESPACE"),
            metrics_environment=read.text("METRICS_ENVIRONMENT"),
            idle_seconds=read.number("IDLE_SECONDS", at_least=1),
            session_id_prefix=read.text("SESSION_ID_PREFIX", default=""),
            default_client_id=read.text("DEFAULT_CLIENT_ID"),
            host=read.text("HOST", default="127.0.0.1"),
            port=read.port("PORT"),
            region=read.text("AWS_REGION", "AWS_DEFAULT_REGION"),
            clock=read.clock(),
        )
        read.done()
        try:
            names.client_id(settings.default_client_id)
            names.session_id(f"{settings.session_id_prefix}0")
        except names.InvalidName as invalid:
            raise SettingsError(f"DEFAULT_CLIENT_ID or SESSION_ID_PREFIX: {invalid}") from None
        return settings
