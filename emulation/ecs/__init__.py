"""ECS: services, tasks and the containers they run."""

from emulation.ecs.controller import Ecs
from emulation.ecs.process import ProcessRuntime
from emulation.ecs.runtime import Runtime

__all__ = ["Ecs", "ProcessRuntime", "Runtime"]
