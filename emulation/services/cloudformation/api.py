"""The CloudFormation controller; it answers every operation itself."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.controller import Context, Handler
from ..controller_base import ServiceController
from .change_sets import ChangeSets
from .read_operations import ReadOperations
from .stacks import Stacks
from .write_operations import WriteOperations


class Cloudformation(ServiceController):
    """Creates, updates and deletes stacks by AWS calls under the name `cloudformation`."""

    service = "cloudformation"

    def __init__(self, ctx: Context) -> None:
        stacks = Stacks()
        change_sets = ChangeSets(stacks)
        self._read_operations = ReadOperations(ctx, stacks, change_sets)
        self._write_operations = WriteOperations(ctx, stacks, change_sets)

    def operations(self) -> Mapping[str, Handler]:
        return {**self._read_operations.handlers(), **self._write_operations.handlers()}

    async def stop(self) -> None:
        await self._write_operations.stop()
