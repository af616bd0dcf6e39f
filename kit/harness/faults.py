"""Faults in a scenario: `async with h.fault(KillProcess(task)) as effect:`."""

from __future__ import annotations

from ..faults.context import FaultContext
from ..faults.nemesis import Nemesis
from .context import Context
from .files import Files


def nemesis(context: Context, files: Files) -> Nemesis:
    """A nemesis that uses the scenario's cloud, ids and ECS Exec."""
    cloud = context.cloud
    faults = FaultContext(
        cloud.aws,
        context.system,
        context.clock,
        context.ids,
        files.run_in,
        cloud.fault_api,
        undo_book=cloud.undo_book,
        tags=cloud.tags,
    )
    return Nemesis(faults, context.history, cloud.capabilities)
