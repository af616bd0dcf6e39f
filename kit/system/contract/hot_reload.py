"""What is said on a hot-reload socket: the messages of Vite's HMR protocol, as its server sends them."""

from __future__ import annotations

import json
from typing import Any, Literal

from ...core.eventually import shortened
from .terms import Terms, Text, agreed, broken


class Said(Terms):
    """Any message; each kind has terms of its own."""

    type: Literal["connected", "ping", "update", "full-reload", "prune", "error", "custom"]


class Update(Terms):
    """One module or stylesheet to be loaded anew."""

    type: Literal["js-update", "css-update"]
    path: Text
    acceptedPath: Text
    timestamp: int


class Updates(Said):
    updates: list[Update]


class FullReload(Said):
    path: Text = "*"
    """The page that is concerned; without it, or with `*`, every page is."""


class Prune(Said):
    paths: list[str]


class BuildError(Terms):
    message: str
    stack: str


class Error(Said):
    err: BuildError


class Custom(Said):
    event: Text


_KINDS: dict[str, type[Said]] = {
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
    said = agreed(Said, message, hop)
    agreed(_KINDS.get(said.type, Said), message, hop)
    return dict(message)
