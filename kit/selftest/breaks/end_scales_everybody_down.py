"""When one session is ended, the service is scaled to zero under all the others."""

from __future__ import annotations

import os
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(expire: Any) -> Any:
        async def and_all_go(self: Any, session: Any) -> Any:
            expired = await expire(self, session)
            if expired and session.status == "draining":
                service = {"cluster": os.environ["CLUSTER"], "service": os.environ["EDIT_SERVICE"]}
                await self._table._aws.call("ecs", "update_service", **service, desiredCount=0)
            return expired

        return and_all_go

    wrap(part("hermes.sessions").Sessions, "expire", by)


BREAK = Break("hermes", "concurrency", r"whose session is in use|at least 1 running and at most", apply)
