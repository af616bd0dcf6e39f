"""The note by which the other commands find the cloud of `kit up`."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InfraError, UsageError

if TYPE_CHECKING:
    from ..aws.outputs import Stack
    from ..backends.emulated.readiness import Readiness
    from ..backends.interface import Cloud
    from ..harness import Harness
    from ..settings import Settings

FILE = "up.json"


@dataclass(frozen=True)
class Running:
    """A running cloud: its addresses, its stack, and its process."""

    pid: int
    readiness: Readiness
    stack: Stack

    def to_json(self) -> dict[str, Any]:
        return {
            "pid": self.pid,
            "readiness": self.readiness.to_json(),
            "stack": {"name": self.stack.name, "outputs": dict(self.stack.outputs)},
        }

    @classmethod
    def from_json(cls, note: dict[str, Any]) -> Running:
        from ..aws.outputs import Stack  # noqa: PLC0415
        from ..backends.emulated.readiness import Readiness  # noqa: PLC0415 - only where a cloud is used

        stack = Stack(note["stack"]["name"], note["stack"]["outputs"])
        return cls(note["pid"], Readiness.from_json(note["readiness"]), stack)


def note(report_dir: Path, running: Running) -> Path:
    """Write the note; returns its path."""
    report_dir.mkdir(parents=True, exist_ok=True)
    path = report_dir / FILE
    unfinished = path.with_suffix(".tmp")
    unfinished.touch(mode=0o600)  # it has the run's key
    unfinished.write_text(json.dumps(running.to_json(), indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def forget(report_dir: Path) -> None:
    """Delete the note if it is this process's."""
    path = report_dir / FILE
    try:
        mine = json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid()
    except (OSError, ValueError):
        return
    if mine:
        path.unlink(missing_ok=True)


def find(report_dir: Path) -> Running | None:
    """The running cloud, or None. Deletes a note whose cloud is gone."""
    path = report_dir / FILE
    try:
        running = Running.from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the note of the running cloud is damaged: {error!r}", where=str(path), next="delete it"
        ) from None
    if _answers(running.readiness.aws):
        return running
    path.unlink(missing_ok=True)
    return None


def needed(report_dir: Path) -> Running:
    """The running cloud. Raises `UsageError` when there is none."""
    running = find(report_dir)
    if running is None:
        raise UsageError(
            f"no cloud is running for {report_dir.resolve()}", next="start one, in another terminal: kit up"
        )
    return running


@asynccontextmanager
async def harness(settings: Settings) -> AsyncIterator[tuple[Cloud, Harness]]:
    """The running cloud and a harness on it, closed at the end; the cloud keeps running.

    Raises `UsageError` when there is none, or when its stack is not Webordinary's.
    """
    from ..aws.client import Aws  # noqa: PLC0415 - only where a cloud is used
    from ..backends.emulated.backend import cloud_at  # noqa: PLC0415
    from ..core.history import History  # noqa: PLC0415
    from ..core.ids import Ids  # noqa: PLC0415
    from ..core.threads import BlockingPool  # noqa: PLC0415
    from ..harness import Harness  # noqa: PLC0415
    from ..harness.checks import Checks  # noqa: PLC0415
    from ..harness.context import Context  # noqa: PLC0415
    from ..harness.mailbox import Mailbox  # noqa: PLC0415
    from ..harness.steps import Steps  # noqa: PLC0415

    running = needed(settings.report_dir)
    if not running.stack.is_webordinary:
        raise UsageError(
            f"this command knows Webordinary's sessions, services and mails, and {running.stack.name} has none",
            next="use any AWS client with the export lines of kit up, or a scenario: docs/extending.md",
        )
    allowance = settings.emulated.allowance
    history = History(running.readiness.clock(allowance))
    aws = Aws(running.readiness.access(), BlockingPool(), history)
    cloud = cloud_at(running.readiness, running.stack, aws, allowance=allowance)
    checks = Checks(history)
    context = Context(cloud, settings, history, checks, Ids())
    used = Harness(context, Mailbox(), Steps(cloud.clock, checks))
    try:
        yield cloud, used
    finally:
        await used.close()
        aws.close()
        aws.threads.close()


def fetch(running: Running, name: str) -> Any:
    """The running cloud's answer at `/_emulation/<name>`. Raises `UsageError` when there is none."""
    try:
        return running.readiness.admin.get(name)
    except InfraError as error:
        raise UsageError(f"the running cloud does not show its {name}: {error.what}") from error


def _answers(url: str) -> bool:
    from ..backends.emulated.admin_api import AdminApi  # noqa: PLC0415 - only where a cloud is used

    try:
        return AdminApi(url).request("health", within=5.0)[0] == 200
    except InfraError:
        return False
