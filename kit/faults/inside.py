"""Faults that a shell in the container commits, by ECS Exec."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from kit.errors import NotSupported, UsageError
from kit.faults.site import Site

_LOOK_EVERY = 2.0
"""AWS seconds."""


def chosen(task: Mapping[str, Any], container: str | None) -> str:
    """The container of this name, the first one when there is none. Raises `UsageError`."""
    names = [each["name"] for each in task["containers"]]
    if container is not None and container not in names:
        raise UsageError(f"task {task['taskArn']} has no container {container!r}; it has {', '.join(names)}")
    return container or str(names[0])


def entered(task: Mapping[str, Any]) -> None:
    """Raises `NotSupported` for a task without ECS Exec: nobody could tell what is seen in it."""
    if not task.get("enableExecuteCommand"):
        raise NotSupported(
            f"nobody can look into {task['taskArn']}", next="its service needs EnableExecuteCommand for ECS Exec"
        )


async def dies_of(site: Site, task: str, container: str, script: str) -> None:
    """Run a script in a container that kills its program. Raises `UsageError` when it says that it could not."""
    from kit.ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

    killing = asyncio.ensure_future(site.run(task, container, script))
    dying = asyncio.ensure_future(_stops_running(site, task))
    try:
        # The shell dies with its container, often before it has said so: either end will do.
        await asyncio.wait({killing, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not killing.done() and dying.exception() is None:
            return
        result = await killing
    except ExecError:
        return  # what is seen of the task decides
    finally:
        killing.cancel()
        dying.cancel()
        await asyncio.gather(killing, dying, return_exceptions=True)
    if result.exit_code not in (0, 137):
        raise UsageError(f"nothing was killed in {container} of {task}: {result.output.strip()}")


async def _stops_running(site: Site, task: str) -> None:
    while (await site.task(task))["lastStatus"] == "RUNNING":
        await site.clock.sleep(_LOOK_EVERY)
