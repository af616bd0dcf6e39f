"""moto on AWS time: its one clock function reads ours.

moto takes the time from `moto.core.utils.utcnow` (naive UTC), which its modules import by name. So it is
replaced before they are imported, and in those that were imported earlier. Three modules read `time.time()`
themselves; they get a `time` of their own. What stays on wall time: S3 server access log lines, rendered SES
templates' Date header and CloudWatch alarm-mute stamps (`datetime.now()`), none of which time anything.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from emulation.clock import Clock

_READ_TIME_THEMSELVES = ("moto.efs.models", "moto.secretsmanager.models", "moto.applicationautoscaling.models")


@dataclass
class _Source:
    """moto is one per process, so its clock is too: the clock of the base that lives."""

    clock: Clock | None = None

    def now(self) -> float:
        return time.time() if self.clock is None else self.clock.now()


_source = _Source()


def _utcnow() -> datetime:
    return datetime.fromtimestamp(_source.now(), UTC).replace(tzinfo=None)


class _Time(ModuleType):
    """The `time` module, but for `time.time()`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @staticmethod
    def time() -> float:
        return _source.now()


def run_moto_on(clock: Clock | None) -> None:
    """Let moto read this clock from now on; None gives it back the wall clock."""
    import moto.core.utils as utils  # noqa: PLC0415 - heavy: only in the worker thread

    _source.clock = clock
    original = utils.utcnow
    if original is _utcnow:
        return
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is original:
            module.utcnow = _utcnow  # type: ignore[attr-defined] # moto's own, checked above


def adopt_imported() -> None:
    """Reach the modules that read `time.time()` themselves; to be called after moto modules were imported."""
    for name in _READ_TIME_THEMSELVES:
        module = sys.modules.get(name)
        if module is not None and not isinstance(module.time, _Time):
            module.time = _Time("time")
