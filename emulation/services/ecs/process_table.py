"""Finds the processes of containers in this machine's process table and measures them."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from .runtime import Usage

if TYPE_CHECKING:
    import psutil


def usage_by_group(groups: Collection[int]) -> Mapping[int, Usage]:
    """What the live processes of each process group use, with the CPU time of their reaped children."""
    import psutil  # noqa: PLC0415 - 20 ms, needed only while tasks run

    cpu: dict[int, float] = defaultdict(float)
    memory: dict[int, int] = defaultdict(int)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has ended
            group = os.getpgid(process.pid)
            if group in groups:
                times, resident = process.cpu_times(), process.memory_info().rss
                cpu[group] += times.user + times.system + times.children_user + times.children_system
                memory[group] += resident
    return {group: Usage(cpu[group], memory[group]) for group in cpu}


def with_environment(name: str, value: str) -> list[psutil.Process]:
    """The processes with this environment variable: a container's, also those that left its process group."""
    import psutil  # noqa: PLC0415 - 20 ms, needed only while tasks run

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has ended, or belongs to another user
            if process.environ().get(name) == value:
                found.append(process)
    return found


def signal_by_environment(name: str, value: str, number: int) -> None:
    """Signal the processes with this environment variable; psutil never signals a process that reuses an id."""
    import psutil  # noqa: PLC0415 - 20 ms, needed only while tasks run

    for process in with_environment(name, value):
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
