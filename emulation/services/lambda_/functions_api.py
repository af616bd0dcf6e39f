"""CreateFunction and what changes, reads and deletes functions."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from ...core.pagination import paginate
from ..iam import trusts
from . import code
from .fleet import Fleet
from .function import DEFAULTS, LATEST, SETTINGS, Function, Functions, invalid
from .runtimes import check

Answer = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_EMULATED = ("Layers", "VpcConfig", "FileSystemConfigs", "ImageConfig", "SnapStart", "CapacityProviderConfig")


class FunctionsApi:
    def __init__(self, ctx: Context, functions: Functions, fleet: Fleet) -> None:
        self._ctx = ctx
        self._functions = functions
        self._fleet = fleet

    async def create_function(self, call: Call) -> Answer:
        params = call.params
        name = self._functions.name(params["FunctionName"])
        if not _NAME.fullmatch(name):
            raise AwsError("ValidationException", f"FunctionName must be 1 to 64 of A-Z a-z 0-9 _ -, got {name!r}")
        if name in self._functions.by_name:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", status=409)
        if params.get("Publish"):
            raise invalid("Versions are not emulated: leave Publish out. Nothing was changed.")
        settings = {**DEFAULTS, **_settings(params)}
        content = await code.fetch(self._ctx.aws, params["Code"])
        function = Function(
            name, self._functions.arn(name), settings, Path(), content, code.sha256(content), "", "",
            tags=dict(params.get("Tags", {})),
        )  # fmt: skip
        await self._check(function)
        await self._unpack(function)
        self._functions.by_name[name] = function
        return function.described()

    async def update_function_code(self, call: Call) -> Answer:
        function = self._get(call)
        content = await code.fetch(self._ctx.aws, call.params)
        if call.params.get("DryRun"):
            return {**function.described(), "CodeSha256": code.sha256(content), "CodeSize": len(content)}
        before = function.folder
        function.code, function.sha256 = content, code.sha256(content)
        await self._unpack(function)
        await self._fleet.retire(function)
        await asyncio.to_thread(shutil.rmtree, before, ignore_errors=True)
        return function.described()

    async def update_function_configuration(self, call: Call) -> Answer:
        function = self._get(call)
        before = function.settings
        function.settings = {**before, **_settings(call.params)}
        try:
            await self._check(function)
        except AwsError:
            function.settings = before
            raise
        self._touch(function)
        await self._fleet.retire(function)
        return function.described()

    async def get_function(self, call: Call) -> Answer:
        function = self._get(call)
        answer: Answer = {"Configuration": function.described(), "Code": {"RepositoryType": "S3"}}
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    async def get_function_configuration(self, call: Call) -> Answer:
        return self._get(call).described()

    async def list_functions(self, call: Call) -> Answer:
        found = [each.described() for _, each in sorted(self._functions.by_name.items())]
        return paged(found, "Functions", call)

    async def list_versions_by_function(self, call: Call) -> Answer:
        function = self._get(call)
        return {"Versions": [{**function.described(), "FunctionArn": f"{function.arn}:{LATEST}"}]}

    async def delete_function(self, call: Call) -> Answer:
        function = self._get(call)
        del self._functions.by_name[function.name]
        await self._fleet.retire(function)
        await asyncio.to_thread(shutil.rmtree, function.folder, ignore_errors=True)
        return {}

    async def put_function_concurrency(self, call: Call) -> Answer:
        function = self._get(call)
        function.reserved = call.params["ReservedConcurrentExecutions"]
        return {"ReservedConcurrentExecutions": function.reserved}

    async def get_function_concurrency(self, call: Call) -> Answer:
        reserved = self._get(call).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    async def delete_function_concurrency(self, call: Call) -> Answer:
        self._get(call).reserved = None
        return {}

    async def list_tags(self, call: Call) -> Answer:
        return {"Tags": dict(self._functions.get(call.params["Resource"]).tags)}

    async def tag_resource(self, call: Call) -> Answer:
        self._functions.get(call.params["Resource"]).tags |= call.params["Tags"]
        return {}

    async def untag_resource(self, call: Call) -> Answer:
        tags = self._functions.get(call.params["Resource"]).tags
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _get(self, call: Call) -> Function:
        return self._functions.get(call.params["FunctionName"], call.params.get("Qualifier"))

    async def _check(self, function: Function) -> None:
        """Raises `AwsError` for settings that Lambda does not take, or that are not emulated."""
        settings = function.settings
        if settings["PackageType"] != "Zip":
            raise invalid("Functions of container images are not emulated: expected PackageType Zip.")
        for name in ("Runtime", "Handler"):
            if not settings.get(name):
                raise invalid(f"{name} is mandatory for functions created with deployment packages.")
        check(function)
        trusted = False
        with contextlib.suppress(AwsError):
            trusted = await trusts(self._ctx.aws, function.role, "lambda.amazonaws.com")
        if not trusted:
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    async def _unpack(self, function: Function) -> None:
        folder = self._ctx.workdir / "lambda" / f"{function.name}-{self._ctx.ids.hex(8)}"
        await asyncio.to_thread(code.unpack, function.code, folder)
        function.folder = folder
        self._touch(function)

    def _touch(self, function: Function) -> None:
        function.modified = f"{self._ctx.clock.utcnow():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"
        function.revision = self._ctx.ids.uuid()


def _settings(params: Mapping[str, Any]) -> dict[str, Any]:
    for name in _NOT_EMULATED:
        if any(params.get(name, {}).values()) if isinstance(params.get(name), dict) else params.get(name):
            raise invalid(f"{name} of a function is not emulated. Leave it out, or run this on AWS.")
    return {name: params[name] for name in SETTINGS if name in params}


def paged(items: list[Answer], name: str, call: Call) -> Answer:
    invalid_marker = invalid("Invalid marker")
    found = paginate(items, call.params.get("Marker"), int(call.params.get("MaxItems") or 50), invalid_marker)
    return found.answer(name, "NextMarker")
