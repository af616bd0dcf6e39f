"""The CloudFormation controller; it answers every operation itself."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.controller import Context, Handler, Operation
from ...state.operations import all_handlers
from ..controller_base import ControllerBase
from .change_sets import ChangeSets
from .read_operations import ReadOperations
from .stacks import Stacks
from .write_operations import WriteOperations


class Cloudformation(ControllerBase):
    """Creates, updates and deletes stacks by AWS calls under the name `cloudformation`."""

    def __init__(self, ctx: Context) -> None:
        stacks = Stacks()
        change_sets = ChangeSets(stacks)
        self._read_operations = ReadOperations(ctx, stacks, change_sets)
        self._write_operations = WriteOperations(ctx, stacks, change_sets)

    def handlers(self) -> Mapping[Operation, Handler]:
        return all_handlers("cloudformation", self._read_operations, self._write_operations)

    async def stop(self) -> None:
        await self._write_operations.stop()
