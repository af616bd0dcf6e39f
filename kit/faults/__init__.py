"""What can go wrong, one file each: injected, verified from outside, undone whatever happens."""

from kit.faults.api_error import ApiError
from kit.faults.api_latency import ApiLatency
from kit.faults.cut_from_aws import CutFromAws
from kit.faults.cut_from_load_balancer import CutFromLoadBalancer
from kit.faults.disrupt_connectivity import DisruptConnectivity
from kit.faults.fault import Effect, EffectNotSeen, Fault, Seen, Shows
from kit.faults.kill_process import KillProcess
from kit.faults.pause_task import PauseTask
from kit.faults.stop_task import StopTask
from kit.faults.throttle import Throttle

__all__ = [
    "ApiError",
    "ApiLatency",
    "CutFromAws",
    "CutFromLoadBalancer",
    "DisruptConnectivity",
    "Effect",
    "EffectNotSeen",
    "Fault",
    "KillProcess",
    "PauseTask",
    "Seen",
    "Shows",
    "StopTask",
    "Throttle",
]
