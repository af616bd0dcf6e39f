"""Faults, one file each: injected, verified from outside, and always undone."""

from collections.abc import Iterable
from typing import Any

from . import registry
from .api_error import ApiError
from .api_latency import ApiLatency
from .crash_at_start import CrashAtStart
from .cut_from_aws import CutFromAws
from .cut_from_load_balancer import CutFromLoadBalancer
from .cut_network import CutNetwork
from .disrupt_connectivity import DisruptConnectivity
from .fault import Effect, EffectNotSeen, Fault, Observation, Visibility
from .fill_volume import FillVolume
from .kill_process import KillProcess
from .missing_image import MissingImage
from .network_latency import NetworkLatency
from .packet_loss import PacketLoss
from .pause_task import PauseTask
from .slow_start import SlowStart
from .starve_cpu import StarveCpu
from .stop_task import StopTask
from .throttle import Throttle
from .use_up_memory import UseUpMemory

__all__ = [
    "ApiError",
    "ApiLatency",
    "CrashAtStart",
    "CutFromAws",
    "CutFromLoadBalancer",
    "CutNetwork",
    "DisruptConnectivity",
    "Effect",
    "EffectNotSeen",
    "Fault",
    "FillVolume",
    "KillProcess",
    "MissingImage",
    "NetworkLatency",
    "Observation",
    "PacketLoss",
    "PauseTask",
    "SlowStart",
    "StarveCpu",
    "StopTask",
    "Throttle",
    "UseUpMemory",
    "Visibility",
]


def register(named: Iterable[str]) -> None:
    """Add the faults of other packages, `module:Class`, and those of the entry-point group `kit.faults`.

    Raises `UsageError` for a name that is used, and for what is not a fault.
    """
    registry.register(named, __all__)


def __getattr__(name: str) -> Any:
    """A fault that another package registered."""
    return registry.find(name, __all__)
