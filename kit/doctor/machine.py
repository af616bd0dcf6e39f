"""What an emulated run needs of this machine."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version

from ..audit import audit
from ..settings import Settings
from .finding import Check, Finding, fail, ok, warn

_ROOM = 2 << 30
"""Bytes free in the temporary folder below which a run is warned of: a run of all scenarios took 0.3 GB."""
_NODE = (20, 3, 0)
"""What the sample site's package.json asks for."""


def checks(settings: Settings) -> Sequence[Check]:
    """All that these settings make necessary."""
    found: list[Check] = [
        ("Python", _python),
        ("git", _git),
        ("disk space", _disk),
        ("ports", lambda: _ports(settings)),
        ("leftovers", _leftovers),
    ]
    if settings.emulated.runtime == "docker":
        found.append(("container engine", _engine))
    if settings.emulated.preview == "astro" and settings.emulated.runtime == "process":
        found.append(("Node", _node))
        found.append(("Chromium", _chromium))
    return found


async def _python() -> Sequence[Finding]:
    at = ".".join(map(str, sys.version_info[:3]))
    return [ok("Python", f"{at}, moto {version('moto')}, boto3 {version('boto3')}")]


async def _git() -> Sequence[Finding]:
    code, told = await _said("git", "--version")
    if code != 0:
        return [fail("git", told or "not on the PATH", "install git: workspaces are repositories")]
    return [ok("git", told.removeprefix("git version "))]


async def _disk() -> Sequence[Finding]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    seen = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < _ROOM:
        return [warn("disk space", seen, "make room, or set TMPDIR to a folder with 2 GiB free")]
    return [ok("disk space", seen)]


async def _ports(settings: Settings) -> Sequence[Finding]:
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


async def _leftovers() -> Sequence[Finding]:
    audited = await audit(dry_run=True)
    if audited.left:
        return [warn("leftovers", f"{len(audited.left)} of dead runs on this machine", "clean up: kit audit --yes")]
    alive = f"; {len(audited.alive)} run(s) at work" if audited.alive else ""
    return [ok("leftovers", f"nothing is left of earlier runs{alive}")]


async def _engine() -> Sequence[Finding]:
    def look() -> str:
        from ..images.engine import engine  # noqa: PLC0415 - of an extra that only containers need

        with engine() as found:
            return f"{found.address}, for {found.architecture}"

    return [ok("container engine", await asyncio.to_thread(look))]


async def _node() -> Sequence[Finding]:
    code, told = await _said("node", "--version")
    found = tuple(map(int, re.findall(r"\d+", told)))[:3]
    if code != 0 or found < _NODE:
        needs = ".".join(map(str, _NODE))
        return [
            fail("Node", told or "not on the PATH", f"install Node {needs} or newer, or --set emulated.preview=builtin")
        ]
    return [ok("Node", told)]


async def _chromium() -> Sequence[Finding]:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return [ok("Chromium", path)]
    return [
        warn("Chromium", "not on the PATH", "install it; without it, no test opens pages in a browser (nox -s astro)")
    ]


async def _said(*argv: str) -> tuple[int, str]:
    """Exit code and what a program says, in one line; -1 when it is not there or says nothing for 10 s."""
    path = shutil.which(argv[0])
    if path is None:
        return -1, ""
    process = await asyncio.create_subprocess_exec(
        path, *argv[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(10):
            told, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, f"{argv[0]} did not answer within 10 s"
    assert process.returncode is not None
    return process.returncode, told.decode("utf-8", "replace").strip().partition("\n")[0]
