"""moto on AWS time: its clock functions read ours.

moto takes the time from three functions of `moto.core.utils`, which its modules import by name. So they are
replaced before those modules are imported, and in the ones that were imported earlier. Two services read
`time.time()` themselves; they get a `time` of their own. What stays on wall time: S3's server access log
lines and the Date header of rendered SES templates (`datetime.now()`), which time nothing.
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

_READ_TIME_THEMSELVES = ("moto.efs.models", "moto.secretsmanager.models")


@dataclass
class _Source:
    """moto is one per process, so its clock is too: the clock of the base that lives."""

    clock: Clock | None = None

    def now(self) -> float:
        return time.time() if self.clock is None else self.clock.now()


_source = _Source()


def run_moto_on(clock: Clock | None) -> None:
    """Let moto read this clock from now on; None gives it back the wall clock."""
    from moto.core import utils  # noqa: PLC0415 - heavy: only in the worker thread

    _source.clock = clock
    if utils.utcnow is _utcnow:
        return
    replace_everywhere("utcnow", utils.utcnow, _utcnow)
    replace_everywhere("unix_time", utils.unix_time, _unix_time)
    replace_everywhere("unix_time_millis", utils.unix_time_millis, _unix_time_millis)


def adopt_imported() -> None:
    """Addressing the modules that read `time.time()` themselves; to be called after moto modules were imported."""
    for name in _READ_TIME_THEMSELVES:
        module: Any = sys.modules.get(name)
        if module is not None and not isinstance(module.time, _Time):
            module.time = _Time("time")


def _utcnow() -> datetime:
    return datetime.fromtimestamp(_source.now(), UTC).replace(tzinfo=None)


def _unix_time(dt: datetime | None = None) -> float:
    """Also 20 times faster than moto's, which goes through two datetimes: SQS asks it per message and queue."""
    return _source.now() if dt is None else dt.replace(tzinfo=UTC).timestamp()


def _unix_time_millis(dt: datetime | None = None) -> float:
    return _unix_time(dt) * 1000


class _Time(ModuleType):
    """The `time` module, but for `time.time()`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def time() -> float:
        return _source.now()
