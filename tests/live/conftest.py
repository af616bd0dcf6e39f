"""`--rehearse`: a stand-in takes the place of AWS, and the tests of this folder go there as they go to AWS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from webordinary_testkit.kit.backends.emulated.rehearsal import Account, Rehearsal, aimed
from webordinary_testkit.kit.core.errors import KitError
from webordinary_testkit.kit.settings import Settings, load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rehearse", action="store_true", help="a stand-in for AWS: costs nothing, needs no account")


@pytest.fixture(scope="session")
def rehearsal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal | None]:
    """The stand-in, with this process's AWS clients and settings aimed at it; None on AWS itself."""
    if not request.config.getoption("--rehearse"):
        yield None
        return
    folder: Path = tmp_path_factory.mktemp("rehearsal")
    scale = request.config.getoption("--kit-scale") or 60
    stand_in = Rehearsal(load({"emulated": {"scale": scale}}, environ={}), folder)
    try:
        account = asyncio.run(stand_in.start())
    except KitError as error:
        pytest.exit(f"kit: {error}", returncode=error.exit_code)
    try:
        with aimed(account):
            yield stand_in
    finally:
        stand_in.stop()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of a test module's own, with this process's AWS clients aimed at it."""
    stand_in = Rehearsal(load({"emulated": {"scale": 60}}, environ={}, file=None), tmp_path_factory.mktemp("stand-in"))
    found = asyncio.run(stand_in.start())
    with aimed(found):
        yield found
    stand_in.stop()


@pytest.fixture(scope="session")
def kit_settings(rehearsal: Rehearsal | None, request: pytest.FixtureRequest) -> Settings:
    """As the plugin's, live in any case: what the rehearsal has to say of itself is in the environment by now."""
    file = request.config.rootpath / "kit.toml"
    budget = request.config.getoption("--kit-budget")
    options = {"mode": "live", **({"live": {"budget": budget}} if budget is not None else {})}
    try:
        settings = load(options, file=file if file.exists() else None)
    except KitError as error:
        pytest.exit(f"kit: {error}", returncode=error.exit_code)
    if rehearsal is None and request.config.getoption("--kit-mode") != "live":
        pytest.exit("tests/live runs on real AWS only when told so: --kit-mode live, or --rehearse", returncode=2)
    return settings
