"""When one session is ended, the service is scaled to zero under all the others."""

import os
from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "concurrency", r"whose session is in use|at least 1 running and at most")


@BREAK.replaces("hermes.sessions", "Sessions.expire")
async def end_all(expire: Any, sessions: Any, session: Any) -> Any:
    expired = await expire(sessions, session)
    if expired and session.status == "draining":
        service = {"cluster": os.environ["CLUSTER"], "service": os.environ["EDIT_SERVICE"]}
        await sessions._table._aws.call("ecs", "update_service", **service, desiredCount=0)
    return expired
