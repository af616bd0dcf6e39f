"""A cloud that somebody else runs: found out from its endpoint, used, and left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kit import some_settings
from webordinary_testkit.awsclock.loop import run
from webordinary_testkit.kit.aws.client import Credentials
from webordinary_testkit.kit.backends.capability import FAULT_PAUSE, Level
from webordinary_testkit.kit.backends.emulated.attached import AttachedBackend, reached_at
from webordinary_testkit.kit.backends.emulated.backend import EmulatedBackend
from webordinary_testkit.kit.backends.interface import Cloud
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.core.history import History


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmulatedBackend, Cloud]]:
    backend = EmulatedBackend(some_settings(), tmp_path_factory.mktemp("theirs"), History(Clock()))
    cloud = run(backend.start())
    assert backend.readiness is not None
    with pytest.MonkeyPatch.context() as patch:  # as a user exports what kit up prints
        for name, value in backend.readiness.environment().items():
            patch.setenv(name, value)
        yield backend, cloud
    run(backend.stop())


def _attached(endpoint: str, **settings: object) -> AttachedBackend:
    return AttachedBackend(
        some_settings(emulated={"endpoint": endpoint, "start_within": 0.1}, **settings), History(Clock())
    )


async def test_it_finds_out_what_there_is(theirs: tuple[EmulatedBackend, Cloud]) -> None:
    there, cloud = theirs
    assert there.readiness is not None
    attached = _attached(there.readiness.aws)
    found = await attached.start()
    try:
        assert found.stack == cloud.stack
        assert (found.clock.scale, found.clock.page) == (cloud.clock.scale, cloud.clock.page)
        assert (found.region, found.account, found.mail) == (cloud.region, cloud.account, found.mail)
        assert found.capabilities == cloud.capabilities == attached.capabilities()
        assert await attached.health() is None
    finally:
        await attached.stop()


async def test_what_it_leaves_goes_on(theirs: tuple[EmulatedBackend, Cloud]) -> None:
    there, _ = theirs
    assert there.readiness is not None
    attached = _attached(there.readiness.aws)
    await attached.start()
    await attached.stop()
    assert await there.health() is None
    assert await attached.health() == "the cloud was let go"


async def test_a_stack_that_is_not_there_is_named(theirs: tuple[EmulatedBackend, Cloud]) -> None:
    there, _ = theirs
    assert there.readiness is not None
    attached = _attached(there.readiness.aws, stack={"name": "nowhere"})
    with pytest.raises(UsageError, match="has no stack nowhere"):
        await attached.start()
    await attached.stop()


async def test_without_its_keys_a_cloud_is_out_of_reach(
    theirs: tuple[EmulatedBackend, Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, _ = theirs
    assert there.readiness is not None
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    attached = _attached(there.readiness.aws)
    with pytest.raises(UsageError, match="refuses this access key") as caught:
        await attached.start()
    assert "export AWS_ACCESS_KEY_ID" in str(caught.value)
    await attached.stop()


async def test_an_endpoint_where_nobody_answers_is_named() -> None:
    attached = _attached("http://127.0.0.1:9")
    with pytest.raises(UsageError, match="no emulated cloud answers") as caught:
        await attached.start()
    assert "docker compose up" in str(caught.value)
    assert attached.capabilities()[FAULT_PAUSE] is Level.ABSENT
    await attached.stop()


def test_doors_are_where_the_endpoint_is(tmp_path: Path) -> None:
    status = {
        "aws": "http://127.0.0.1:4566",
        "smtp": "127.0.0.1:2525",
        "region": "us-west-2",
        "account": "123456789012",
        "pid": 1,
        "clock": {"scale": 10, "origin": 0},
    }
    ready = reached_at("http://build-host:4566", status, Credentials("key", "secret"))
    assert ready.access().credentials == Credentials("key", "secret")
    assert (ready.aws, ready.smtp) == ("http://build-host:4566", "build-host:2525")
