"""Tells the tests that start something (a gateway, a cloud, a program) from those that only compute."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from types import ModuleType

import pytest
from hypothesis import settings

settings.register_profile("fast", max_examples=20)

_COMPUTES_ONLY = ("tests.support.kit", "tests.support.letters")
"""Support that starts nothing."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "starts: starts a gateway, a cloud or a program; left out of `nox -s fast`")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    started = dict[str, bool]()
    for item in items:
        module = item.getparent(pytest.Module)
        if module is None:
            continue
        if module.nodeid not in started:
            started[module.nodeid] = _starts(module.obj)
        if started[module.nodeid] or "bare_world" in getattr(item, "fixturenames", ()):
            item.add_marker("starts")


def _starts(module: ModuleType) -> bool:
    """Whether a test module uses support that starts something, or starts programs and servers itself."""
    homes = {getattr(value, "__module__", None) or "" for value in vars(module).values()}
    support = {home for home in homes if home.startswith("tests.support.")}
    servers = any(home.startswith(("aiohttp.", "websockets.")) for home in homes)
    return bool(support.difference(_COMPUTES_ONLY)) or servers or subprocess in vars(module).values()
