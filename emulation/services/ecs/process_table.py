"""The machine's process table, as far as containers need it: who belongs to whom, and who uses what."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from .runtime import Usage

_PROC = Path("/proc")


async def usage_by_group(groups: Collection[int]) -> Mapping[int, Usage]:
    """What the living processes of each process group use, their reaped children's CPU time included."""
    rows = _proc_rows() if _PROC.joinpath("self/stat").exists() else await _ps_rows()
    cpu: dict[int, float] = defaultdict(float)
    memory: dict[int, int] = defaultdict(int)
    for group, seconds, rss in rows:
        cpu[group] += seconds
        memory[group] += rss
    return {group: Usage(cpu[group], memory[group]) for group in groups if group in cpu}


def carrying(variable: str) -> list[int]:
    """Processes whose environment has this `NAME=value`: a container's, also those that left its process group.

    Linux only; elsewhere nobody is found.
    """
    marker = variable.encode()
    found = []
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if marker in environment.split(b"\0"):
            found.append(pid)
    return found


def _pids() -> Iterator[int]:
    if sys.platform != "linux":
        return
    for name in os.listdir(_PROC):  # noqa: PTH208 - a Path for each process costs more than reading it
        if name.isdigit():
            yield int(name)


def _proc_rows() -> Iterator[tuple[int, float, int]]:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for pid in _pids():
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except OSError:  # ended meanwhile
            continue
        fields = stat.rpartition(")")[2].split()  # from field 3 on: the name before it may contain anything
        cpu = sum(int(fields[number - 3]) for number in (14, 15, 16, 17)) / ticks
        yield int(fields[5 - 3]), cpu, int(fields[24 - 3]) * page


async def _ps_rows() -> list[tuple[int, float, int]]:
    process = await asyncio.create_subprocess_exec(
        *("ps", "-A", "-o", "pgid=,time=,rss="), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    rows = (line.split() for line in output.decode().splitlines())
    return [(int(group), cpu_time(time), int(rss) * 1024) for group, time, rss in rows]


def cpu_time(text: str) -> float:
    """Seconds of what `ps` prints as [[days-]hours:]minutes:seconds."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)
