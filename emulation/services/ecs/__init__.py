"""ECS: services, tasks and the containers they run."""

from .controller import Ecs
from .process import ProcessRuntime
from .runtime import Runtime

__all__ = ["Ecs", "ProcessRuntime", "Runtime"]
