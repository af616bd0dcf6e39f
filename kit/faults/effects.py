"""Base classes of faults and effects: targets, counters and ways to undo that several share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..aws.undo import UndoRecord
from ..backends.capability import FAULT_NETWORK
from ..core.errors import UsageError
from .context import FaultContext
from .emulator_fault import Counter, EmulatorFault
from .fault import Effect, Visibility


@dataclass(frozen=True)
class TaskFault:
    """A fault of one task."""

    task: str
    """The task's ARN."""

    needs: ClassVar[tuple[str, ...]]
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float]

    @property
    def target(self) -> str:
        return self.task


@dataclass(frozen=True)
class NetworkFault(TaskFault):
    """A fault of all traffic of a task, which the emulated cloud causes; further fields are its settings."""

    counter: ClassVar[Counter]
    needs: ClassVar[tuple[str, ...]] = (FAULT_NETWORK,)
    visibility = Visibility.BY_USE

    async def inject(self, context: FaultContext) -> Effect:
        return await self.counter.inject(context, **vars(self), **await self._address(context))

    async def _address(self, context: FaultContext) -> dict[str, str | int]:
        """The running task's address, if it has one. Raises `UsageError`."""
        task = await context.running_task(self.task)
        try:
            host, port = await context.address(task)
        except UsageError:  # it has no port
            return {}
        return {"host": host, "port": port}


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
