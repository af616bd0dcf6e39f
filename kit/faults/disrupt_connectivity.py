"""The subnet of a task loses DynamoDB, S3, or everything outside the subnet.

    tasks in the subnet --X--> DynamoDB     FIS aws:network:disrupt-connectivity, a minute at least

The same in both clouds: FIS puts another network ACL on the subnet and removes it at the end by itself. Calls and open
connections hang, for all tasks in the subnet.

The effect is observed from inside, by ECS Exec: the service answered before and does not now. With `all`, ECS Exec is
cut off as well on AWS; then the effect is that it worked before and fails now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from ..backends.capability import FAULT_EXPERIMENT
from ..core.errors import UsageError
from .aws_from_inside import ReachedService, reaches
from .context import FaultContext
from .effects import Uncounted
from .exec_fault import choose_container, require_exec
from .experiment import SHORTEST, Experiment
from .fault import Effect, Observation, Visibility

_LEAST, _MOST, _SHARE = 0.25, 5.0, 0.1
"""How long the service may take to answer before, and must not answer during the fault: a share of the fault's
duration, since hanging calls continue at its end; minimum and maximum in wall seconds."""
_AT_PACE = 1.0
"""The same on a clock that jumps, where the wait passes in real time."""
_ACTION, _TARGET = "cut", "subnets"


@dataclass(frozen=True)
class DisruptConnectivity:
    """Cut off the subnet of a task."""

    task: str
    """The ARN of a task in the subnet."""
    scope: Literal["dynamodb", "s3", "all"] = "dynamodb"
    """What becomes unreachable; `all` spares traffic within the subnet."""
    seconds: float = SHORTEST
    """AWS seconds after which FIS ends it, undone or not."""

    needs: ClassVar[tuple[str, ...]] = (FAULT_EXPERIMENT,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 60.0

    def __post_init__(self) -> None:
        if self.seconds < SHORTEST:
            raise UsageError(f"an experiment's action lasts {SHORTEST:g} s at least, got {self.seconds:g}")

    @property
    def target(self) -> str:
        return f"{self.scope} from the subnet of {self.task}"

    async def inject(self, context: FaultContext) -> Effect:
        task = await context.running_task(self.task)
        details = {each["name"]: each["value"] for entry in task["attachments"] for each in entry["details"]}
        if "subnetId" not in details:
            raise UsageError(f"task {self.task} is in no subnet")
        require_exec(task)
        container = choose_container(task, None)
        service: ReachedService = "dynamodb" if self.scope == "all" else self.scope
        patience = min(_MOST, max(_LEAST, _SHARE * self.seconds / context.clock.scale))
        if context.clock.page is not None:
            patience = _AT_PACE
        if not await reaches(context, self.task, container, service, patience):
            raise UsageError(f"task {self.task} does not reach {service} already: a cut would not show")
        _, partition, _, region, account, *_ = self.task.split(":")
        subnet = f"arn:{partition}:ec2:{region}:{account}:subnet/{details['subnetId']}"
        target = {"resourceType": "aws:ec2:subnet", "resourceArns": [subnet], "selectionMode": "ALL"}
        parameters = {"duration": _iso(self.seconds), "scope": self.scope}
        action = {
            "actionId": "aws:network:disrupt-connectivity",
            "parameters": parameters,
            "targets": {"Subnets": _TARGET},
        }
        experiment = await Experiment.start(context, self.target[:512], {_TARGET: target}, {_ACTION: action})
        return DisruptionEffect(experiment, context, self.task, container, service, patience, self.scope == "all")


@dataclass(frozen=True)
class DisruptionEffect(Uncounted):
    experiment: Experiment
    context: FaultContext
    task: str
    container: str
    service: ReachedService
    patience: float
    all_of_it: bool
    """ECS Exec is cut off as well."""

    async def verify(self) -> Observation:
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        action = await self.experiment.action(_ACTION)
        before = f"{self.service} from inside, which answered before"
        try:
            answers = await reaches(self.context, self.task, self.container, self.service, self.patience)
        except ExecError as error:
            runs = (await self.context.task(self.task))["lastStatus"] == "RUNNING"
            return Observation(self.all_of_it and runs, f"ECS Exec, which worked before: {error}; {action}")
        return Observation(not answers, f"{before}: {'still answers' if answers else 'silent'}; {action}")

    async def undo(self) -> None:
        await self.experiment.end()


def _iso(seconds: float) -> str:
    return f"PT{round(seconds)}S" if seconds % 60 else f"PT{round(seconds) // 60}M"
