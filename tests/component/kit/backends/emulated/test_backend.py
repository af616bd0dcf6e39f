"""The emulated backend keeps the contract of backends."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support.backend_conformance import BackendConformance
from tests.support.kit import some_settings
from webordinary_testkit.awsclock.loop import run
from webordinary_testkit.kit.backends.emulated.backend import EmulatedBackend
from webordinary_testkit.kit.backends.emulated.readiness import Readiness
from webordinary_testkit.kit.backends.interface import Backend
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.core.history import History


class TestEmulated(BackendConformance):
    made: ClassVar[list[EmulatedBackend]] = []

    @classmethod
    def make(cls, folder: Path, **settings: Any) -> Backend:
        backend = EmulatedBackend(some_settings(**settings), folder, History(Clock()))
        cls.made.append(backend)
        return backend

    @classmethod
    def leftovers(cls, folder: Path) -> list[str]:
        found = []
        for backend in cls.made:
            ready = backend.readiness
            if ready is None or (backend._folder != folder):
                continue
            if Path(ready.workdir).exists():
                found.append(f"folder {ready.workdir}")
            if _listens(ready.aws) or _listens(ready.smtp):
                found.append(f"port of {ready.aws} or {ready.smtp}")
            if _lives(ready.pid):
                found.append(f"process {ready.pid}")
        return found

    def test_a_port_that_is_taken_is_named(self, tmp_path: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with self.refusing(tmp_path, UsageError, str(port), emulated={"port": port}):
                pass


def test_a_readiness_line_that_lacks_something_names_it() -> None:
    with pytest.raises(InfraError, match="'smtp'"):
        Readiness.from_json({"aws": "http://127.0.0.1:1"})


def test_a_cloud_that_dies_is_not_healthy(tmp_path: Path) -> None:
    backend = EmulatedBackend(some_settings(), tmp_path, History(Clock()))
    run(backend.start())
    assert backend.readiness is not None
    os.kill(backend.readiness.pid, 9)
    assert "exit code -9" in run(backend.ended())
    assert "exit code -9" in (run(backend.health()) or "")
    run(backend.stop())


def _listens(address: str) -> bool:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
