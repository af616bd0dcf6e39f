"""What can go wrong, one file each: injected, verified from outside, undone whatever happens."""

from kit.faults.api_error import ApiError
from kit.faults.api_latency import ApiLatency
from kit.faults.crash_at_start import CrashAtStart
from kit.faults.cut_from_aws import CutFromAws
from kit.faults.cut_from_load_balancer import CutFromLoadBalancer
from kit.faults.cut_network import CutNetwork
from kit.faults.disrupt_connectivity import DisruptConnectivity
from kit.faults.fault import Effect, EffectNotSeen, Fault, Seen, Shows
from kit.faults.fill_volume import FillVolume
from kit.faults.kill_process import KillProcess
from kit.faults.missing_image import MissingImage
from kit.faults.network_latency import NetworkLatency
from kit.faults.packet_loss import PacketLoss
from kit.faults.pause_task import PauseTask
from kit.faults.slow_start import SlowStart
from kit.faults.starve_cpu import StarveCpu
from kit.faults.stop_task import StopTask
from kit.faults.throttle import Throttle
from kit.faults.use_up_memory import UseUpMemory

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
    "PacketLoss",
    "PauseTask",
    "Seen",
    "Shows",
    "SlowStart",
    "StarveCpu",
    "StopTask",
    "Throttle",
    "UseUpMemory",
]
