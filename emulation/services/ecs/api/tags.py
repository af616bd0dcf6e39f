"""Tags of clusters, services, tasks and task definitions; account settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....core.controller import Call, Caller, Handler
from ..names import invalid
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
    """Raises InvalidParameterException for what AWS does not take as tags. Keys that begin with aws: are for AWS's
    own services, as CloudFormation."""
    values = {each.get("key", ""): each.get("value", "") for each in tags}
    own = caller is not None and caller.kind == "service"
    if not own and any(key.lower().startswith("aws:") for key in values):
        raise invalid("Tag keys cannot begin with aws:")
    if len(values) > _MOST:
        raise invalid(f"The maximum number of tags a resource can have is {_MOST}.")
    return values


class Tags:
    def __init__(self, store: Store) -> None:
        self._store = store

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "ListAccountSettings": self.list_account_settings,
            "ListTagsForResource": self.list_tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    async def list_tags(self, call: Call) -> dict[str, Any]:
        tags = self._store.tags_of(call.params["resourceArn"])
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    async def tag(self, call: Call) -> dict[str, Any]:
        tags = self._store.tags_of(call.params["resourceArn"])
        new = parse_tags(call.params["tags"], call.caller)
        if len(tags | new) > _MOST:
            raise invalid(f"The maximum number of tags a resource can have is {_MOST}.")
        tags.update(new)
        return {}

    async def untag(self, call: Call) -> dict[str, Any]:
        tags = self._store.tags_of(call.params["resourceArn"])
        for key in call.params["tagKeys"]:
            tags.pop(key, None)
        return {}

    async def list_account_settings(self, call: Call) -> dict[str, Any]:
        """The settings under which this emulation behaves; they cannot be changed."""
        name, value = call.params.get("name"), call.params.get("value")
        principal = f"arn:aws:iam::{call.account}:root"
        return {
            "settings": [
                {"name": each, "value": on, "principalArn": principal}
                for each, on in _SETTINGS.items()
                if name in (None, each) and value in (None, on)
            ]
        }
