"""Unit tests compute: a test that starts a program or opens a network socket belongs in tests/component."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _pure() -> Iterator[None]:
    """No programs, no network sockets, and an idle host; per module, so that its fixtures are covered as well."""

    def program(*args: object, **kwargs: object) -> None:
        raise AssertionError("a unit test may not start a program: move it to tests/component")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", program)
        for name in ("connect", "bind"):
            patch.setattr(socket.socket, name, _unless_local(getattr(socket.socket, name)))
        patch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
        yield


def _unless_local(original: object) -> object:
    def checked(self: socket.socket, address: object) -> object:
        if self.family != getattr(socket, "AF_UNIX", None):
            raise AssertionError(f"a unit test may not use {address!r}: move it to tests/component")
        return original(self, address)  # type: ignore[operator]  # one of socket's methods

    return checked
