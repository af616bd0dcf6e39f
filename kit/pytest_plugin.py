"""The pytest plugin: one cloud a session, one harness a test, results in the run's report.

Every pytest run of the environment loads it, so it imports nothing heavy, and does nothing until a test uses one of
its fixtures.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import IO, TYPE_CHECKING, Any, cast

import pytest
import pytest_asyncio

from ..awsclock.loop import Loop
from ..awsclock.loop import run as run_loop

if TYPE_CHECKING:
    from .backends.interface import Backend
    from .harness import Harness
    from .mixes.performance import Stage
    from .runner.run import Run
    from .settings import Settings

_RUN = pytest.StashKey["Run"]()
_CALL = pytest.StashKey["pytest.CallInfo[None]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kit", "emulated cloud or real AWS (webordinary-test-kit)")
    group.addoption("--kit-mode", choices=("emulated", "live"), help="which cloud the scenarios run on")
    group.addoption("--kit-base", metavar="BASE", help="where declared state is kept: moto, localstack or a URL")
    group.addoption("--kit-runtime", choices=("process", "docker"), help="what a task of the emulated cloud becomes")
    group.addoption("--kit-clock", choices=("autojump", "scaled", "real"), help="how AWS time passes")
    group.addoption("--kit-mixes", type=int, metavar="N", help="tests/live: the kept session mixes, and N new ones")
    group.addoption("--kit-budget", type=float, metavar="USD", help="spend at most so much, live")
    group.addoption("--kit-scale", type=float, metavar="N", help="speed of AWS time: 60 is sixty times real time")


@pytest.hookimpl(trylast=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests that use the kit run on its event loop, which takes part in the clock of the run; others as ever."""
    uses_kit = any(name.startswith("kit_") for name in getattr(item, "fixturenames", ()))
    return {"kit": Loop} if uses_kit else {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def kit_settings(request: pytest.FixtureRequest) -> Settings:
    """The settings: kit.toml beside pytest's root, the environment, then pytest's command line."""
    from .core.errors import KitError  # noqa: PLC0415 - nothing is imported until a test asks for it
    from .settings import load  # noqa: PLC0415

    options: dict[str, Any] = {}
    if mode := request.config.getoption("--kit-mode"):
        options["mode"] = mode
    if scale := request.config.getoption("--kit-scale"):
        options.setdefault("emulated", {})["scale"] = scale
    if clock := request.config.getoption("--kit-clock"):
        options.setdefault("emulated", {})["clock"] = clock
    if runtime := request.config.getoption("--kit-runtime"):
        options.setdefault("emulated", {})["runtime"] = runtime
    if base := request.config.getoption("--kit-base"):
        options.setdefault("emulated", {})["base"] = base
    if (budget := request.config.getoption("--kit-budget")) is not None:
        options["live"] = {"budget": budget}
    file = request.config.rootpath / "kit.toml"
    try:
        return load(options, file=file if file.exists() else None)
    except KitError as error:
        pytest.exit(f"kit: {error}", returncode=error.exit_code)


@pytest.fixture(scope="session")
def kit_run(kit_settings: Settings, request: pytest.FixtureRequest) -> Iterator[Run]:
    """A started run, shared by all tests of the session."""
    from .core.errors import KitError  # noqa: PLC0415
    from .runner.console import Console  # noqa: PLC0415 - nothing is imported until a test asks for it
    from .runner.run import CLEAN_UP, Run  # noqa: PLC0415

    config = request.config
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    console = (
        None if worker else Console(cast(IO[str], _Terminal(config)), terminal=config.get_terminal_writer().hasmarkup)
    )
    try:
        run = Run(kit_settings, console, folder_suffix=f"-{worker}" if worker else "")
        run_loop(run.start())
    except KitError as error:
        pytest.exit(f"kit: {error}", returncode=error.exit_code)
    config.stash[_RUN] = run
    yield run
    run_loop(run.stop())
    for outcome in run.report.outcomes:
        if outcome.name == CLEAN_UP:
            pytest.fail(f"{outcome.verdict}: {outcome.message}", pytrace=False)


@pytest.fixture(scope="session")
def kit_backend(kit_run: Run) -> Backend:
    """The backend that holds the cloud."""
    return kit_run.backend


@pytest.fixture(scope="session")
def kit_stage(kit_run: Run) -> Stage:
    """Where mixes are performed, on the shared cloud: `kit_stage.check(mix)` in a test with `@given(mix=mixes())`."""
    from .mixes.performance import Stage  # noqa: PLC0415 - nothing is imported until a test asks for it
    from .mixes.registry import subject_of  # noqa: PLC0415

    return Stage(kit_run.context(), subject_of(kit_run.settings))


@pytest_asyncio.fixture
async def kit_harness(kit_run: Run, request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """The harness on the shared cloud, for one test; the test is a scenario of the run's report.

    A test that asserts nothing through it fails.
    """
    from .core.verdict import Verdict  # noqa: PLC0415
    from .runner.execute import judge  # noqa: PLC0415 - nothing is imported until a test asks for it

    name: str = request.node.name
    if kit_run.console:
        kit_run.console.scenario_started(name, "")
    async with judge(name, kit_run.context()) as (used, outcome):
        yield used
        call = request.node.stash.get(_CALL, None)
        if call is not None and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            raise call.excinfo.value
    kit_run.add(outcome)
    failed_itself = call is not None and call.excinfo is not None
    if outcome.verdict is not Verdict.PASS and not failed_itself:
        pytest.fail(f"{outcome.verdict}: {outcome.message}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.when == "call" and "kit_harness" in getattr(item, "fixturenames", ()):
        item.stash[_CALL] = call
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is not None and run.report.outcomes:
        terminalreporter.write_line(f"kit: {run.report.verdict}, report in {run.folder / 'report.json'}")


class _Terminal:
    """pytest's terminal as a file that is not captured, so that steps are visible while they happen."""

    encoding = "utf-8"

    def __init__(self, config: pytest.Config) -> None:
        self._writer = config.get_terminal_writer()
        self._capture: Any = config.pluginmanager.getplugin("capturemanager")
        self._new = True

    def write(self, text: str) -> int:
        with self._capture.global_and_fixture_disabled() if self._capture else contextlib.nullcontext():
            if self._new and text.strip():
                self._writer.line()
                self._new = False
            self._writer.write(text)
        return len(text)

    def flush(self) -> None:
        self._writer.flush()

    def isatty(self) -> bool:
        return self._writer.hasmarkup
