"""`python -m tests.support.late_hermes`: the reference Hermes, answering an activation when it is done, with `active`.

The deployed system does so: the answer takes as long as the container and the agent do, which may be longer than the
load balancer waits.
"""

from __future__ import annotations

import json
import runpy
from typing import Any

from webordinary_testkit.kit.backends.emulated.programs import MODULES
from webordinary_testkit.kit.selftest.breaking import Break, aim, part

LATE = Break("hermes", "cold_start", "")


@LATE.reroutes("hermes.api", "/activate")
async def answers_late(handler: Any, request: Any) -> Any:
    answer = await handler(request)
    api, fields = handler.__self__, json.loads(answer.body)
    while (session := await api._sessions.get(fields["sessionId"])).status == "initializing":
        await api._clock.sleep(1.0)
    if session.status != "active":
        return part("answers").error(500, f"The session is {session.status}")
    answer.body = json.dumps(fields | {"status": "active"}).encode()
    return answer


if __name__ == "__main__":
    aim(MODULES["hermes"])
    LATE.apply()
    runpy.run_module(MODULES["hermes"], run_name="__main__", alter_sys=True)
