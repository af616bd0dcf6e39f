"""Runs moto on AWS time.

moto reads the time with three functions of `moto.core.utils`, which its modules import by name: they are replaced
there and in the modules imported earlier. Two services call `time.time()`; their `time` module is replaced. S3's
server access log lines and the Date header of rendered SES templates (`datetime.now()`) stay on wall time.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from ..time.clock import Clock
from .moto_patches.replace import replace_everywhere

_CALL_TIME_TIME = ("moto.efs.models", "moto.secretsmanager.models")


@dataclass
class _Source:
    """moto is a singleton, and so is its clock: that of the running store."""

    clock: Clock | None = None

    def now(self) -> float:
        return time.time() if self.clock is None else self.clock.now()


_source = _Source()


def run_moto_on(clock: Clock | None) -> None:
    """Make moto read this clock; None restores the wall clock."""
    from moto.core import utils  # noqa: PLC0415 - heavy: only in the worker thread

    _source.clock = clock
    if utils.utcnow is _utcnow:
        return
    replace_everywhere("utcnow", utils.utcnow, _utcnow)
    replace_everywhere("unix_time", utils.unix_time, _unix_time)
    replace_everywhere("unix_time_millis", utils.unix_time_millis, _unix_time_millis)


def patch_imported() -> None:
    """Patch the modules that call `time.time()`. Call it after importing moto modules."""
    for name in _CALL_TIME_TIME:
        module: Any = sys.modules.get(name)
        if module is not None and not isinstance(module.time, _Time):
            module.time = _Time("time")


def _utcnow() -> datetime:
    return datetime.fromtimestamp(_source.now(), UTC).replace(tzinfo=None)


def _unix_time(dt: datetime | None = None) -> float:
    """Also 20 times faster than moto's, which builds two datetimes: SQS calls it per message and queue."""
    return _source.now() if dt is None else dt.replace(tzinfo=UTC).timestamp()


def _unix_time_millis(dt: datetime | None = None) -> float:
    return _unix_time(dt) * 1000


class _Time(ModuleType):
    """The `time` module with another `time()`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def time() -> float:
        return _source.now()
