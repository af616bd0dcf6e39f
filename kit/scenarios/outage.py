"""Faults of AWS: an unreachable target, a stopped task, a subnet without its database."""

from __future__ import annotations

from ..backends import capability
from ..faults import CutFromLoadBalancer, DisruptConnectivity, StopTask
from ..harness import Harness
from ..harness.sessions import TestSession
from ..system import facts
from .registry import scenario
from .steps.journeys import start_at_zero, verify_zero
from .steps.task_replacement import edit_task, open_session, state_of, verify_preserved, verify_replaced

_LONGEST = 180
"""AWS seconds without DynamoDB, at most; the fault ends with its block."""


@scenario(
    "outage",
    needs=(
        *(capability.LOAD_BALANCER, capability.SCALING, capability.ECS_EXEC, capability.SHARED_WORKSPACE),
        *(capability.METRICS, capability.FAULT_TASK, capability.FAULT_NETWORK, capability.FAULT_EXPERIMENT),
    ),
    proves="a task out of the load balancer's reach or stopped by AWS is replaced; without DynamoDB nothing is lost",
    only_named="live, its experiments cost money",
)
async def outage(h: Harness) -> None:
    """Faults by AWS's own means, one after the other, on one session."""
    await start_at_zero(h)
    with h.step("1 a session at work", target=h.timeouts.wake + h.timeouts.container_ready):
        session, page = await open_session(h)
    # By keepalives: a lost container serves no visits, and an idle session would expire.
    async with h.session_api.keeping_alive(session):
        before = await state_of(h, session, page)
        # ECS replaces no unhealthy task in the health check grace period after its start.
        unhealthy = await h.services.grace_left("edit") + h.timeouts.health + h.timeouts.recovery
        with h.step("2 its target is out of the load balancer's reach: another task serves", target=unhealthy):
            task = await edit_task(h)
            what = "the replacement of a task out of reach"
            await verify_replaced(h, session, CutFromLoadBalancer(task), task, what, within=unhealthy)
        await h.wait_for_service_stable("edit")
        with h.step("3 an experiment stops its task: another one serves", target=h.timeouts.recovery):
            task, what = await edit_task(h), "the replacement of a task that was stopped"
            await verify_replaced(h, session, StopTask(task, by="fis"), task, what, within=h.timeouts.recovery)
        with h.step("4 session and workspace are as they were"):
            await verify_preserved(h, before)
    since = h.clock.now()
    with h.step("5 a session asked for without DynamoDB is refused, or made once it is there again", by_chance=True):
        later = await _without_database(h, session)
    with h.step("6 idle, it goes back to zero", target=h.timeouts.idle_shutdown):
        await verify_zero(h, [session, later], since=since)


async def _without_database(h: Harness, session: TestSession) -> TestSession:
    """Another user's session, requested while the running task's subnet cannot reach DynamoDB."""
    marker = h.new_marker()
    client, user, page = session.client_id, h.new_user(marker), f"Later Page {marker}"
    async with h.fault(DisruptConnectivity(await edit_task(h), scope="dynamodb", seconds=_LONGEST)):
        answer = await h.sessions.activate(client, user, facts.add_page(page), marker)
        h.check(answer.status == 201 or answer.status >= 500, "a session, or an error of the server's", seen=answer)
    if answer.status == 201:
        said = answer.json()
        opened = TestSession(said["sessionId"], client, user, said["previewUrl"], marker)
    else:
        opened = await h.create_test_session(facts.add_page(page), user_id=user, marker=marker)
    async with h.visiting(opened):
        await h.wait_for_container_ready(opened)
        await h.wait_for_change(opened, facts.slug(page), within=h.timeouts.recovery)
    return opened
