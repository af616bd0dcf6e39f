"""Messages on a hot-reload socket: Vite's HMR protocol, as its server sends them."""

from __future__ import annotations

import json
from typing import Any, Literal

from ...core.eventually import shortened
from .terms import Terms, Text, agreed, broken


class Message(Terms):
    """Any message; each type has more terms."""

    type: Literal["connected", "ping", "update", "full-reload", "prune", "error", "custom"]


class Update(Terms):
    """A module or stylesheet to reload."""

    type: Literal["js-update", "css-update"]
    path: Text
    acceptedPath: Text
    timestamp: int


class Updates(Message):
    updates: list[Update]


class FullReload(Message):
    path: Text = "*"
    """The page to reload; `*`, the default, is every page."""


class Prune(Message):
    paths: list[str]


class BuildError(Terms):
    message: str
    stack: str


class Error(Message):
    err: BuildError


class Custom(Message):
    event: Text


_KINDS: dict[str, type[Message]] = {
    "update": Updates,
    "full-reload": FullReload,
    "prune": Prune,
    "error": Error,
    "custom": Custom,
}


def check_hot_reload(text: str, url: str) -> dict[str, Any]:
    """Check a message and return it. Raises `ContractBroken`."""
    __tracebackhide__ = True
    hop = f"a message on {url}"
    try:
        message = json.loads(text)
    except ValueError:
        raise broken("HotReload", hop, [f"it is no JSON: {shortened(text, 200)}"]) from None
    kind = agreed(Message, message, hop).type
    agreed(_KINDS.get(kind, Message), message, hop)
    return dict(message)
