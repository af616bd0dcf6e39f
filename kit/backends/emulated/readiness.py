"""The readiness line of a running emulated cloud: its addresses, account and clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ....awsclock.clock import opened
from ...aws.client import Access, Credentials
from ...core.clock import Clock
from ...core.errors import InfraError
from .admin_api import AdminApi


@dataclass(frozen=True)
class Readiness:
    """A parsed readiness line."""

    aws: str
    smtp: str
    region: str
    account: str
    pid: int
    scale: float
    origin: float
    workdir: str
    credentials: Credentials
    """The run's access key. Its secret is the token of the admin API, too."""
    page: str = ""
    """The folder of the clock's page; empty when the clock does not jump."""
    base: Mapping[str, Any] = field(default_factory=dict)
    """The state store, when it is not the embedded one."""

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Readiness:
        """Raises `InfraError` that names what the line lacks."""
        try:
            return cls(
                aws=line["aws"],
                smtp=line["smtp"],
                region=line["region"],
                account=line["account"],
                pid=int(line["pid"]),
                page=line["clock"].get("page", ""),
                scale=float(line["clock"].get("scale", 1)),
                origin=float(line["clock"].get("origin", 0)),
                workdir=line.get("workdir", ""),
                credentials=Credentials(**line["credentials"]),
                base=line.get("base", {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InfraError(f"the readiness line lacks {error}: {json.dumps(line)[:300]}") from None

    def to_json(self) -> dict[str, Any]:
        clock = {"page": self.page} if self.page else {"scale": self.scale, "origin": self.origin}
        plain = {name: value for name, value in vars(self).items() if name not in ("scale", "origin", "page")}
        return plain | {"clock": clock, "credentials": asdict(self.credentials)}

    def clock(self, allowance: float) -> Clock:
        if self.page:
            return Clock(page=opened(self.page))
        return Clock(scale=self.scale, origin=self.origin, allowance=allowance)

    @property
    def admin(self) -> AdminApi:
        return AdminApi(self.aws, self.credentials.secret_access_key)

    def access(self) -> Access:
        return Access(region=self.region, endpoint_url=self.aws, credentials=self.credentials)

    def environment(self) -> dict[str, str]:
        """Variables that point any SDK, the AWS CLI and LocalStack's tools at this cloud."""
        return {**self.access().environment(), "LOCALSTACK_HOST": self.aws.partition("://")[2]}
