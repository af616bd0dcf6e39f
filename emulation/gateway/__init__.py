"""The AWS endpoint: one loopback port that dispatches every SDK call."""

from .admin import Admin
from .callers import AccessKeys
from .dispatch import Dispatch, InProcess
from .intercept import CutOff, InterceptedCall, Interceptor
from .record import RecordedCall, Recorder
from .server import Gateway

__all__ = [
    "AccessKeys",
    "Admin",
    "CutOff",
    "Dispatch",
    "Gateway",
    "InProcess",
    "InterceptedCall",
    "Interceptor",
    "RecordedCall",
    "Recorder",
]
