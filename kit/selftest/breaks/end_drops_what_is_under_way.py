"""A session that is ended while its container starts never carries out its instruction."""

from typing import Any

from ..breaking import MIXES, Break, part

BREAK = Break("hermes", MIXES, r"exactly_once: .* was accepted, and made no commit|liveness: .* was not answered")


@BREAK.replaces("hermes.instructions", "Instructions._carried_out")
async def dropped(carried_out: Any, instructions: Any, session: Any, job: Any) -> Any:
    await instructions._edit.until_up()
    now = await instructions._sessions.get(session.session_id)
    if now is not None and now.status == "draining":
        return part("hermes.instructions").Outcome(True, "The session was ended.")
    return await carried_out(instructions, session, job)
