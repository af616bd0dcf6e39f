"""One loopback port for all SDK calls, and the way of every call to whoever answers it."""

from emulation.gateway.admin import Admin
from emulation.gateway.callers import AccessKeys
from emulation.gateway.dispatch import Dispatch, InProcess
from emulation.gateway.intercept import CutOff, Intercepted, Interceptor
from emulation.gateway.record import RecordedCall, Recorder
from emulation.gateway.server import Gateway

__all__ = [
    "AccessKeys",
    "Admin",
    "CutOff",
    "Dispatch",
    "Gateway",
    "InProcess",
    "Intercepted",
    "Interceptor",
    "RecordedCall",
    "Recorder",
]
