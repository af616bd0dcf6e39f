"""Keeps every service at its desired count.

A change of a task, a service or a target's health wakes the service, without polling. Then `plan` compares its tasks
with its desired state, and the scheduler starts or stops the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from ....awsclock.clock import Timer
from ...core.background_tasks import BackgroundTasks
from ...core.controller import Changed, Context, TargetHealthChanged, TaskChanged
from ...core.errors import AwsError
from ..efs import Storage
from .model import Deployment, Service, ServiceEvent, Task
from .placement import LaunchRequest, new_task
from .plan import Decision, decide
from .registrations import TargetRegistrations
from .rollout import complete, count_failure, deploy, failed_to_start, new_deployment, survived
from .runtime import RunningContainer, Runtime
from .store import Store
from .task import TaskContext, TaskRun

LEAST_GRACE = 10.0
"""Wall seconds of a health check's grace period, when the clock runs fast: a program starts at this machine's pace."""
_SEE = "For more information, see the Troubleshooting section."
_THROTTLED = f"is unable to consistently start tasks successfully. {_SEE}"
_NO_INSTANCES = (
    "was unable to place a task because no container instance met all of its requirements. "
    f"Reason: No Container Instances were found in your cluster. {_SEE}"
)


class Scheduler:
    def __init__(self, ctx: Context, store: Store, runtime: Runtime, storage: Storage) -> None:
        self._ctx = ctx
        self._store = store
        self._registrations = TargetRegistrations(ctx)
        self._context = TaskContext(ctx, runtime, storage, self._registrations, self._changed)
        self._runs: dict[str, TaskRun] = {}
        self._tasks = BackgroundTasks(ctx.log)
        self._statuses: dict[str, str] = {}
        self._evaluated: set[str] = set()
        self._woken: dict[str, Service] = {}
        self._alarms: dict[str, Timer] = {}
        self._closed = False

    def launch(self, request: LaunchRequest) -> Task:
        """Start a task; it is PROVISIONING when this returns. Raises ServerException while the cloud shuts down."""
        if self._closed:
            raise AwsError("ServerException", "The emulated cloud is shutting down.", status=503)
        siblings = self._store.tasks_of(request.service) if request.service else []
        task = new_task(self._ctx.clock, self._ctx.ids, self._store.names, request, siblings)
        self._store.add_task(task)
        run = self._runs[task.id] = TaskRun(self._context, task)
        self._tasks.run(f"task {task.id}", run.run())
        return task

    def stop_task(self, task: Task, code: str, reason: str) -> None:
        if task.id in self._runs:
            self._runs[task.id].stop(code, reason)

    def containers(self, task_arn: str) -> Mapping[str, RunningContainer]:
        """A task's running containers by name."""
        run = next((each for each in self._runs.values() if each.task.arn == task_arn), None)
        if run is None:
            return {}
        containers = ((each.name, run.running(each.name)) for each in run.task.containers)
        return {name: running for name, running in containers if running is not None}

    def wake(self, service: Service) -> None:
        """Reconcile the service in the next iteration of the event loop."""
        if not self._woken and not self._closed:
            asyncio.get_running_loop().call_soon(self._reconcile_woken)
        self._woken[service.arn] = service

    def target_health_changed(self, event: TargetHealthChanged) -> None:
        target = self._registrations.update(event)
        if target is None:
            return
        task = next((each for each in self._store.tasks() if target in each.targets), None)
        if task is None or task.service is None:
            return
        if event.state == "unhealthy" and task.wanted:
            self._add_event(
                task.service,
                f"(port {event.port}) is unhealthy in (target-group {event.target_group_arn}) due to "
                f"(reason {event.reason or 'Health checks failed'})",
            )
        self.wake(task.service)

    async def close(self) -> None:
        """Abort every task."""
        self._closed = True
        for alarm in self._alarms.values():
            alarm.cancel()
        for run in self._runs.values():
            run.abort()
        await self._tasks.settle()

    def _changed(self, task: Task) -> None:
        self._ctx.events.publish(Changed("ecs"))
        if self._statuses.get(task.id) != task.last_status:
            self._statuses[task.id] = task.last_status
            self._ctx.events.publish(TaskChanged(task.arn, task.cluster.arn, task.group, task.last_status))
            self._report_targets(task)
        if task.service is not None:
            if not task.wanted and task.id not in self._evaluated:
                self._evaluated.add(task.id)
                self._evaluate(task.service, task)
            self.wake(task.service)
        if task.last_status == "STOPPED":
            self._runs.pop(task.id, None)
            self._statuses.pop(task.id, None)
            self._evaluated.discard(task.id)

    def _report_targets(self, task: Task) -> None:
        if task.service is None or task.started_at is None or task.last_status not in ("RUNNING", "DEACTIVATING"):
            return
        if task.last_status == "DEACTIVATING":
            self._add_event(task.service, "has begun draining connections on 1 tasks.")
        verb = "registered" if task.last_status == "RUNNING" else "deregistered"
        for target in task.targets:
            self._add_event(task.service, f"{verb} 1 targets in (target-group {target.group_arn})")

    def _evaluate(self, service: Service, task: Task) -> None:
        """Count the end of a task for the service throttle and the circuit breaker."""
        scale = self._ctx.clock.scale
        if failed_to_start(task, scale):
            service.backoff.failed(self._ctx.clock.now())
            self._count_failure(service, task)
        elif survived(task, scale):
            service.backoff.reset()

    def _reconcile_woken(self) -> None:
        woken, self._woken = self._woken, {}
        for service in woken.values():
            if not self._closed and service.status != "INACTIVE":
                self._reconcile(service)

    def _reconcile(self, service: Service) -> None:
        now = self._ctx.clock.now()
        tasks = self._store.tasks_of(service)
        used = [task.deployment for task in tasks]
        service.deployments[1:] = [each for each in service.deployments[1:] if each in used]
        grace = self._ctx.clock.patience(service.grace_period, least=LEAST_GRACE) if service.grace_period else 0.0
        decision = decide(service, tasks, now, grace=grace)
        self._stop(service, decision)
        self._start(service, decision, now)
        self._settle(service, decision, now)
        if service.status == "DRAINING" and not tasks:
            service.status, service.inactive_at = "INACTIVE", now

    def _stop(self, service: Service, decision: Decision) -> None:
        for task, reason in decision.stop:
            self.stop_task(task, "ServiceSchedulerInitiated", reason)
        for task in decision.unhealthy:
            self._count_failure(service, task)
        if decision.stop:
            stopped = _named(task for task, _ in decision.stop)
            self._add_event(service, f"has stopped {len(decision.stop)} running tasks: {stopped}.")

    def _start(self, service: Service, decision: Decision, now: float) -> None:
        again_at = decision.again_at
        if decision.start and service.primary.revision.launch_type == "EC2":
            self._report_once(service, _NO_INSTANCES)
        elif decision.start and now < service.backoff.until:
            self._report_once(service, _THROTTLED)
            again_at = min(service.backoff.until, again_at or service.backoff.until)
        elif decision.start:
            primary = service.primary
            request = LaunchRequest(
                cluster=service.cluster,
                revision=primary.revision,
                group=service.group,
                started_by=primary.id,
                execute_command=service.settings["enableExecuteCommand"],
                service=service,
                deployment=primary,
            )
            started = [self.launch(request) for _ in range(decision.start)]
            self._add_event(service, f"has started {len(started)} tasks: {_named(started)}.")
        self._set_alarm(service, again_at, now)

    def _settle(self, service: Service, decision: Decision, now: float) -> None:
        if not decision.steady or len(service.deployments) > 1 or service.status != "ACTIVE":
            service.steady = False
        elif not service.steady:
            service.steady = True
            service.backoff.reset()
            service.reported.clear()
            if complete(service, now):
                self._add_event(service, f"(deployment {service.primary.id}) deployment completed.")
            self._add_event(service, "has reached a steady state.")

    def _count_failure(self, service: Service, task: Task) -> None:
        if count_failure(service, task):
            self._fail(service, service.primary)

    def _fail(self, service: Service, deployment: Deployment) -> None:
        """Fail the deployment after the circuit breaker has tripped, and roll back if configured."""
        deployment.rollout_state = "FAILED"
        deployment.rollout_reason = "ECS deployment circuit breaker: tasks failed to start."
        deployment.updated_at = self._ctx.clock.now()
        self._add_event(service, f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
        if service.configuration["deploymentCircuitBreaker"]["rollback"] and service.last_completed is not None:
            back = new_deployment(self._ctx.clock, self._ctx.ids, service.last_completed)
            back.rollout_reason = f"ECS deployment circuit breaker: rolling back to deploymentId {back.id}."
            deploy(service, back)
            self._add_event(service, f"rolling back to deployment {back.id}.")

    def _set_alarm(self, service: Service, at: float | None, now: float) -> None:
        if earlier := self._alarms.pop(service.arn, None):
            earlier.cancel()
        if at is not None:
            self._alarms[service.arn] = self._ctx.clock.call_at(at, self.wake, service)

    def _report_once(self, service: Service, message: str) -> None:
        if message not in service.reported:
            service.reported.add(message)
            self._add_event(service, message)

    def _add_event(self, service: Service, message: str) -> None:
        event = ServiceEvent(self._ctx.ids.uuid(), self._ctx.clock.now(), f"(service {service.name}) {message}")
        service.events.appendleft(event)
        self._ctx.events.publish(Changed("ecs"))


def _named(tasks: Iterable[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
