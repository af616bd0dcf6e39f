"""Base classes of faults and effects: targets, counters and ways to undo that several share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..aws.undo import UndoRecord
from .context import FaultContext
from .emulator_fault import EmulatorFault


@dataclass(frozen=True)
class TaskFault:
    """A fault of one task."""

    task: str
    """The task's ARN."""

    @property
    def target(self) -> str:
        return self.task


class Uncounted:
    """An effect without counters."""

    async def counts(self) -> Mapping[str, int]:
        return {}


@dataclass(frozen=True)
class RecordedEffect(Uncounted):
    """An effect that recorded AWS calls undo."""

    context: FaultContext
    undo_record: UndoRecord

    async def undo(self) -> None:
        await self.undo_record.undo(self.context.aws, self.context.clock)


@dataclass(frozen=True)
class EmulatorEffect:
    """An effect that the emulated cloud causes and that is observed elsewhere."""

    context: FaultContext
    emulator_fault: EmulatorFault

    async def undo(self) -> None:
        await self.emulator_fault.undo()

    async def counts(self) -> Mapping[str, int]:
        return await self.emulator_fault.counts()
