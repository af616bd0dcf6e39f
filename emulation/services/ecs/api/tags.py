"""Tags of clusters, services, tasks and task definitions; account settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ....core.controller import Call, Caller
from .. import serializers
from ..errors import invalid
from ..store import Store

_MOST = 50
_SETTINGS = {
    "serviceLongArnFormat": "enabled",
    "taskLongArnFormat": "enabled",
    "containerInstanceLongArnFormat": "enabled",
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "tagResourceAuthorization": "on",
}


def parse_tags(tags: Iterable[Mapping[str, str]], caller: Caller | None = None) -> dict[str, str]:
    """Raises InvalidParameterException for invalid tags. Only AWS services may use keys that begin with aws:."""
    values = {each.get("key", ""): each.get("value", "") for each in tags}
    by_service = caller is not None and caller.kind == "service"
    if not by_service and any(key.lower().startswith("aws:") for key in values):
        raise invalid("Tag keys cannot begin with aws:")
    if len(values) > _MOST:
        raise invalid(f"The maximum number of tags a resource can have is {_MOST}.")
    return values


@dataclass(frozen=True)
class Tags:
    store: Store

    async def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        return {"tags": serializers.tags(self.store.tags_of(call.params["resourceArn"]))}

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        tags = self.store.tags_of(call.params["resourceArn"])
        new = parse_tags(call.params["tags"], call.caller)
        if len(tags | new) > _MOST:
            raise invalid(f"The maximum number of tags a resource can have is {_MOST}.")
        tags.update(new)
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        tags = self.store.tags_of(call.params["resourceArn"])
        for key in call.params["tagKeys"]:
            tags.pop(key, None)
        return {}

    async def list_account_settings(self, call: Call) -> dict[str, Any]:
        """The account settings of the emulation, which cannot be changed."""
        name, value = call.params.get("name"), call.params.get("value")
        principal = f"arn:aws:iam::{call.account}:root"
        return {
            "settings": [
                {"name": each, "value": on, "principalArn": principal}
                for each, on in _SETTINGS.items()
                if name in (None, each) and value in (None, on)
            ]
        }
