"""ECS: services, tasks and the containers they run."""

from .controller import Ecs
from .process import ProcessRuntime
from .runtime import Runtime
from .warm import ForkServer

__all__ = ["Ecs", "ForkServer", "ProcessRuntime", "Runtime"]
