"""Checks what an emulated run needs on this machine."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version

from ...awsclock.quiescence import unsupported
from ..audit import audit
from ..settings import Settings
from .finding import Check, DoctorFinding, fail, ok, warn

_ROOM = 2 << 30
"""Free bytes in the temporary folder below which the check warns: a run of all scenarios took 0.3 GB."""
_NODE = (20, 3, 0)
"""The minimum of the sample site's package.json."""


def checks(settings: Settings) -> Sequence[Check]:
    """The checks for these settings."""
    found: list[Check] = [
        ("Python", _python),
        ("git", _git),
        ("disk space", _disk),
        ("clock", lambda: _clock(settings)),
        ("ports", lambda: _ports(settings)),
        ("leftovers", _leftovers),
    ]
    if settings.emulated.runtime == "docker":
        found.append(("container engine", _engine))
    if settings.emulated.preview == "astro" and settings.emulated.runtime == "process":
        found.append(("Node", _node))
        found.append(("Chromium", _chromium))
    return found


async def _python() -> Sequence[DoctorFinding]:
    at = ".".join(map(str, sys.version_info[:3]))
    return [ok("Python", f"{at}, moto {version('moto')}, boto3 {version('boto3')}")]


async def _git() -> Sequence[DoctorFinding]:
    code, output = await _output("git", "--version")
    if code != 0:
        return [fail("git", output or "not on the PATH", "install git: workspaces are repositories")]
    return [ok("git", output.removeprefix("git version "))]


async def _clock(settings: Settings) -> Sequence[DoctorFinding]:
    jumps = settings.emulated.clock == "autojump"
    if why := unsupported():
        lost = f"AWS time cannot jump here: {why}"
        if jumps:
            return [fail("clock", lost, 'set emulated.clock = "scaled"')]
        return [warn("clock", lost, "at a fast scale, targets of a few seconds are not decidable: use --scale 1")]
    speed = "jumps to the next timer when nothing works" if jumps else f"{settings.emulated.scale:g} × wall time"
    return [ok("clock", f"AWS time: {speed}; the threads of this machine's programs can be watched")]


async def _disk() -> Sequence[DoctorFinding]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    seen = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < _ROOM:
        return [warn("disk space", seen, "make room, or set TMPDIR to a folder with 2 GiB free")]
    return [ok("disk space", seen)]


async def _ports(settings: Settings) -> Sequence[DoctorFinding]:
    wanted = {
        "emulated.port": settings.emulated.port,
        "emulated.smtp_port": settings.emulated.smtp_port,
        "emulated.load_balancer_port": settings.emulated.load_balancer_port,
    }
    fixed = {name: port for name, port in wanted.items() if port}
    if not fixed:
        return [ok("ports", "free ones are chosen")]
    return [
        fail("ports", f"{name} = {port} is taken: {why}", f"see who listens: kit status; or set {name} to 0")
        if (why := _taken(port))
        else ok("ports", f"{name} = {port} is free")
        for name, port in fixed.items()
    ]


def _taken(port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return str(error.strerror)
    return ""


async def _leftovers() -> Sequence[DoctorFinding]:
    audited = await audit(dry_run=True)
    if audited.left:
        return [warn("leftovers", f"{len(audited.left)} of dead runs on this machine", "clean up: kit audit --yes")]
    alive = f"; {len(audited.alive)} run(s) at work" if audited.alive else ""
    return [ok("leftovers", f"nothing is left of earlier runs{alive}")]


async def _engine() -> Sequence[DoctorFinding]:
    def look() -> str:
        from ..images.engine import engine  # noqa: PLC0415 - of an extra that only containers need

        with engine() as found:
            return f"{found.address}, for {found.architecture}"

    return [ok("container engine", await asyncio.to_thread(look))]


async def _node() -> Sequence[DoctorFinding]:
    code, output = await _output("node", "--version")
    found = tuple(map(int, re.findall(r"\d+", output)))[:3]
    if code != 0 or found < _NODE:
        needs = ".".join(map(str, _NODE))
        return [
            fail(
                "Node", output or "not on the PATH", f"install Node {needs} or newer, or --set emulated.preview=builtin"
            )
        ]
    return [ok("Node", output)]


async def _chromium() -> Sequence[DoctorFinding]:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return [ok("Chromium", path)]
    return [
        warn("Chromium", "not on the PATH", "install it; without it, no test opens pages in a browser (nox -s astro)")
    ]


async def _output(*argv: str) -> tuple[int, str]:
    """Exit code and first line of a program's output; -1 when it is missing or does not answer within 10 s."""
    path = shutil.which(argv[0])
    if path is None:
        return -1, ""
    process = await asyncio.create_subprocess_exec(
        path, *argv[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(10):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, f"{argv[0]} did not answer within 10 s"
    assert process.returncode is not None
    return process.returncode, output.decode("utf-8", "replace").strip().partition("\n")[0]
