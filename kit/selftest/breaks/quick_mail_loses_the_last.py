"""An instruction that follows another one of its thread within five seconds begins from before that one."""

from typing import Any

from ..breaking import MIXES, Break

BREAK = Break("edit", MIXES, r"(exactly_once|sticky_reads): .*(made no commit|is not any more)")

_ended: dict[str, float] = {}


@BREAK.replaces("edit.work", "Worker._carry_out")
async def from_before(carry_out: Any, worker: Any, order: Any) -> Any:
    clock, repository = worker._clock, worker._projects.repository(order.client_id, order.user_id)
    if clock.now() - _ended.get(order.branch, 0) < 5:
        repository._run("update-ref", f"refs/heads/{order.branch}", f"refs/heads/{order.branch}~1")
    done = await carry_out(worker, order)
    _ended[order.branch] = clock.now()
    return done
