"""The scheduler's decisions, on tasks written by hand."""

from __future__ import annotations

import itertools
from typing import Any

from webordinary_testkit.emulation.services.ecs.model import (
    Cluster,
    Container,
    Deployment,
    Service,
    ServiceRevision,
    Target,
    Task,
)
from webordinary_testkit.emulation.services.ecs.plan import SETTLING, decide
from webordinary_testkit.emulation.services.ecs.task_definition import TaskDefinition

NOW = 10_000.0
DEFINITION = TaskDefinition(
    arn="arn:definition",
    family="web",
    revision=1,
    raw={"containerDefinitions": [{"name": "web", "image": "web:1"}], "cpu": "256", "memory": "512"},
    registered_at=0,
    registered_by="arn:root",
)
CLUSTER = Cluster("test", "arn:cluster")
_numbers = itertools.count()


def deployment(name: str = "new") -> Deployment:
    revision = ServiceRevision(DEFINITION, "FARGATE", (), "LATEST", None, (), ())
    return Deployment(name, revision, created_at=0, updated_at=0)


def service(wanted: int, *earlier: Deployment, least: int = 100, most: int = 200, **settings: Any) -> Service:
    return Service(
        name="web",
        arn="arn:service",
        cluster=CLUSTER,
        created_at=0,
        created_by="arn:root",
        desired_count=wanted,
        deployments=[deployment(), *earlier],
        configuration={"minimumHealthyPercent": least, "maximumPercent": most},
        grace_period=settings.pop("grace", None),
        settings={},
        **settings,
    )


def task(
    of: Deployment, status: str = "RUNNING", *, ran: float = 1_000, target: str | None = None, **fields: Any
) -> Task:
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": f"task-{number}",
        "arn": f"arn:task-{number}",
        "cluster": CLUSTER,
        "definition": DEFINITION,
        "group": "service:web",
        "started_by": of.id,
        "launch_type": "FARGATE",
        "capacity_provider": None,
        "platform_version": "LATEST",
        "enable_execute_command": False,
        "zone": "a",
        "attachment": None,
        "overrides": {},
        "containers": [Container(DEFINITION.containers[0], "arn:container", "web:1")],
        "created_at": float(number),
        "deployment": of,
        "last_status": status,
        "started_at": NOW - ran if status == "RUNNING" else None,
        "targets": [Target("arn:group", "127.0.0.1", number, target)] if target else [],
    }
    return Task(**values | fields)


def stopped(decision: Any) -> list[Task]:
    return [each for each, _ in decision.stop]


def test_missing_tasks_are_started() -> None:
    of = service(3)
    assert decide(of, [task(of.primary)], NOW).start == 2


def test_tasks_on_their_way_count() -> None:
    of = service(2)
    assert decide(of, [task(of.primary, "PENDING"), task(of.primary, "PROVISIONING")], NOW).start == 0


def test_tasks_on_their_way_out_do_not_count() -> None:
    of = service(1)
    assert decide(of, [task(of.primary, desired_status="STOPPED")], NOW).start == 1


def test_a_service_being_deleted_wants_nothing() -> None:
    of = service(2, status="DRAINING")
    tasks = [task(of.primary), task(of.primary)]
    assert stopped(decide(of, tasks, NOW)) == tasks[::-1]


def test_a_scale_in_takes_what_does_not_run_yet_first() -> None:
    of = service(1)
    running, pending = task(of.primary), task(of.primary, "PENDING", created_at=-1.0)
    assert stopped(decide(of, [pending, running], NOW)) == [pending]


def test_a_scale_in_takes_what_is_not_healthy_before_what_is() -> None:
    of = service(1)
    healthy, initial = task(of.primary, target="healthy"), task(of.primary, target="initial", created_at=-1.0)
    assert stopped(decide(of, [initial, healthy], NOW)) == [initial]


def test_a_scale_in_keeps_the_zones_even_and_takes_the_newest() -> None:
    of = service(2)
    first, second, other = task(of.primary), task(of.primary), task(of.primary, zone="b")
    assert stopped(decide(of, [first, second, other], NOW)) == [second]


def test_a_deployment_starts_as_many_as_the_maximum_allows() -> None:
    old = deployment("old")
    of = service(4, old, most=150)
    assert decide(of, [task(old) for _ in range(4)], NOW).start == 2


def test_a_deployment_keeps_the_minimum_healthy() -> None:
    old = deployment("old")
    of = service(4, old, least=75)
    tasks = [task(old) for _ in range(4)]
    assert len(stopped(decide(of, tasks, NOW))) == 1


def test_old_tasks_go_as_new_ones_become_healthy() -> None:
    old = deployment("old")
    of = service(2, old)
    olds = [task(old), task(old)]
    news = [task(of.primary, target="healthy"), task(of.primary, target="initial")]
    assert stopped(decide(of, [*olds, *news], NOW)) == olds[:1]


def test_old_tasks_that_never_ran_go_at_once() -> None:
    old = deployment("old")
    of = service(1, old)
    starting = task(old, "PENDING")
    assert stopped(decide(of, [starting], NOW)) == [starting]


def test_a_task_without_health_checks_must_settle_before_it_counts() -> None:
    old = deployment("old")
    of = service(1, old)
    new = task(of.primary, ran=SETTLING - 10)
    decision = decide(of, [task(old), new], NOW)
    assert stopped(decision) == []
    assert decision.again_at == NOW + 10


def test_an_unhealthy_task_is_replaced_before_it_is_stopped() -> None:
    of = service(1)
    sick = task(of.primary, target="unhealthy")
    first = decide(of, [sick], NOW)
    assert (first.start, stopped(first)) == (1, [])
    then = decide(of, [sick, task(of.primary, target="healthy")], NOW)
    assert (then.start, stopped(then)) == (0, [sick])


def test_an_unhealthy_task_makes_room_when_the_maximum_leaves_none() -> None:
    of = service(1, least=0, most=100)
    sick = task(of.primary, target="unhealthy")
    decision = decide(of, [sick], NOW)
    assert (decision.start, stopped(decision), decision.unhealthy) == (1, [sick], (sick,))


def test_health_checks_do_not_count_in_the_grace_period() -> None:
    of = service(1, grace=60)
    decision = decide(of, [task(of.primary, ran=50, target="unhealthy")], NOW)
    assert (decision.start, stopped(decision), decision.again_at) == (0, [], NOW + 10)


def test_a_failed_deployment_starts_nothing_and_keeps_the_old_tasks() -> None:
    old = deployment("old")
    of = service(1, old)
    of.primary.rollout_state = "FAILED"
    decision = decide(of, [task(old)], NOW)
    assert (decision.start, stopped(decision)) == (0, [])


def test_a_service_is_steady_when_its_tasks_are_there_and_well() -> None:
    of = service(1)
    assert decide(of, [task(of.primary, target="healthy")], NOW).steady
    assert not decide(of, [task(of.primary, target="initial")], NOW).steady
    assert not decide(of, [task(of.primary), task(of.primary, desired_status="STOPPED")], NOW).steady
    assert not decide(of, [], NOW).steady
    assert decide(service(0), [], NOW).steady
