"""The Application Auto Scaling controller.

CloudWatch alarm --> Autoscaler --> ecs:UpdateService
"""

from __future__ import annotations

from collections.abc import Mapping

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context, Handler, Operation
from ...state.operations import all_handlers
from ..cloudwatch import Cloudwatch
from ..controller_base import ControllerBase
from .autoscaler import Autoscaler
from .operations import ScalingOperations
from .state import ScalingState


class ApplicationAutoScaling(ControllerBase):
    """Scales ECS services when CloudWatch alarms invoke scaling policies."""

    def __init__(self, ctx: Context, cloudwatch: Cloudwatch) -> None:
        state = ScalingState()
        self._tasks = BackgroundTasks(ctx.log)
        self._autoscaler = Autoscaler(ctx, state, cloudwatch.alarms)
        self._operations = ScalingOperations(ctx, state, cloudwatch.alarms, self._autoscaler)
        cloudwatch.register_action("autoscaling", self._autoscaler.execute)

    def handlers(self) -> Mapping[Operation, Handler]:
        return all_handlers("application-autoscaling", self._operations)

    async def start(self) -> None:
        self._tasks.run("scaling activities", self._autoscaler.run())

    async def stop(self) -> None:
        await self._tasks.stop()
