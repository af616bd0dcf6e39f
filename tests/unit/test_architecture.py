"""The borders between the packages, the layers of their rooms, sizes, and plain English.

Reads the source as text: nothing of it is imported. Type-only and lazy imports count like any other.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support import REPOSITORY

DISTRIBUTION = "webordinary_testkit"
PACKAGES = ("kit", "emulation", "datachannel", "awsclock")
SHARED = ("datachannel", "awsclock")
"""May be imported by the others, and import none of them."""
SYSTEM = "emulation.system"

KIT_LAYERS = [
    *("core", "settings", "aws", "system", "ecs_exec", "images", "audit"),
    *("backends", "backends.emulated", "backends.live", "faults", "harness", "scenarios"),
    *("cost", "runner", "report", "mixes", "parity", "doctor", "selftest", "pytest_plugin", "cli", "__main__"),
]
"""The rooms of kit/, each of which may import only those before it."""
EMULATION_LAYERS = [
    *("lambda_runtimes", "time", "core", "config", "container_engine", "state", "gateway", "services", "faults"),
    *("cloud", "wiring", "__main__"),
]
"""The same for emulation/; the services among each other are in no circle."""

EXCEPTIONS: frozenset[str] = frozenset()
"""Violations that are known, as the tests print them."""

CLOCKS = ("emulation.time.clock", "kit.core.clock", "emulation.system.clock")
"""The modules besides `awsclock` that may read a clock or sleep."""
REAL_TIME = {
    "kit.ecs_exec": "the retransmission of a protocol whose peer may be AWS's own",
    "kit.images.build": "the label of an image that outlives every run",
    "emulation.services.ecs.exec.session": "the same retransmission, by the agent",
    "emulation.services.ecs.docker.commands": "the engine's work, which is polled",
    "emulation.container_engine.sweep": "a program that cleans up after a cloud, with no package of the kit",
    "emulation.core.guardian": "the same",
    "emulation.state.aws_time": "what moto's clock is replaced by",
    "emulation.lambda_runtimes": "a function's timeout, by the clock of its own process",
    "emulation.state.probes": "the start of an endpoint outside of the cloud",
}
"""Modules, or rooms, whose time is that of the machine, and why."""

LARGEST_MODULE, LARGEST_FUNCTION, LARGEST_TESTS = 400, 60, 450
"""Lines; the last is of a module below tests/."""
ENTRIES = {"kit": 22, "emulation": 16}
"""Files and folders at the top of a package."""

HABITS = ("told", "stands", "somebody", "whoever", "nobody", "what there is")
"""Words that stood for the noun that exists."""
MOST_HABITS = 0.5
"""How often each may occur in 1,000 words."""


@dataclass(frozen=True)
class Module:
    name: str
    """Below the distribution, for example `kit.core.clock`; a package goes by its folder's name."""
    path: Path
    tree: ast.Module

    @property
    def package(self) -> list[str]:
        parts = self.name.split(".")
        return parts if self.path.name == "__init__.py" else parts[:-1]

    @property
    def lines(self) -> int:
        return len(self.path.read_text(encoding="utf-8").splitlines())


@cache
def modules() -> Mapping[str, Module]:
    found: dict[str, Module] = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
            found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Module → the modules that it imports."""
    return {name: frozenset(_imported(module)) - {name} for name, module in modules().items()}


def _imported(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            names = _absolute(module, node)
            if names is None:
                continue
            for alias in node.names:
                full = f"{names}.{alias.name}" if names else alias.name
                yield full if full in modules() else names
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{DISTRIBUTION}."):
                    yield alias.name.removeprefix(f"{DISTRIBUTION}.")


def _absolute(module: Module, node: ast.ImportFrom) -> str | None:
    """What an import is from, below the distribution; None for what is not of the project."""
    if node.level == 0:
        name = node.module or ""
        return name.removeprefix(DISTRIBUTION).removeprefix(".") if name.split(".")[0] == DISTRIBUTION else None
    base = module.package[: len(module.package) - node.level + 1]
    return ".".join([*base, *(node.module.split(".") if node.module else [])])


def strings(module: Module) -> Iterator[tuple[str, int]]:
    """The names of modules that are written as strings, but for those behind `-m`: a program's name."""
    programs: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Tuple, ast.List)):
            for before, after in zip(node.elts, node.elts[1:], strict=False):
                if isinstance(before, ast.Constant) and before.value == "-m":
                    programs.add(id(after))
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in programs:
            name = node.value.removeprefix(f"{DISTRIBUTION}.").rstrip(".")
            if name in modules() and (name != node.value or "." in name):
                yield name, node.lineno


def owner(name: str) -> str:
    """The package that a module belongs to; the reference system is one by itself."""
    return SYSTEM if f"{name}.".startswith(f"{SYSTEM}.") else name.split(".", maxsplit=1)[0]


def room(name: str) -> str:
    """kit.backends.live.guard → backends.live; emulation.services.ses.outbox → services.ses; `` for a package."""
    parts = name.split(".")[1:]
    folder = ".".join(parts[:1])
    deeper = ".".join(parts[:2])
    nested = folder == "services" or deeper in ("backends.emulated", "backends.live")
    return deeper if nested and len(parts) > 1 else folder


def unexpected(violations: Iterable[str]) -> list[str]:
    return sorted(set(violations) - EXCEPTIONS)


def test_no_package_crosses_into_another() -> None:
    def crossings() -> Iterator[str]:
        for name, module in modules().items():
            for other in [*imports()[name], *(each for each, _ in strings(module))]:
                if other and owner(other) not in (owner(name), *SHARED):
                    yield f"{name} -> {other}"
            if owner(name) == SYSTEM and any(owner(other) == "datachannel" for other in imports()[name]):
                yield f"{name} -> datachannel"

    assert unexpected(crossings()) == []


@pytest.mark.parametrize(("package", "layers"), [("kit", KIT_LAYERS), ("emulation", EMULATION_LAYERS)])
def test_imports_point_to_lower_layers(package: str, layers: list[str]) -> None:
    def place(name: str) -> int:
        return layers.index(room(name).removesuffix(f".{name.split('.')[2]}") if _service(name) else room(name))

    def upwards() -> Iterator[str]:
        for name in modules():
            if owner(name) != package or name == package:
                continue
            for other in imports()[name]:
                if owner(other) == package and other != package and place(other) > place(name):
                    yield f"{name} -> {other}"

    assert unexpected(upwards()) == []


def _service(name: str) -> bool:
    return name.startswith("emulation.services.")


def test_the_public_face_is_imported_by_nothing_inside() -> None:
    assert unexpected(f"{name} -> {other}" for name in modules() for other in imports()[name] if other == "kit") == []


def test_no_circle_between_rooms() -> None:
    rooms: dict[str, set[str]] = {}
    for name, others in _edges().items():
        here = f"{owner(name)}:{room(name)}"
        rooms.setdefault(here, set()).update(f"{owner(other)}:{room(other)}" for other in others)
        rooms[here].discard(here)
    rooms.pop("kit:", None)  # the public face, which nothing inside imports
    assert _circle(rooms) == []


def test_no_circle_between_modules() -> None:
    assert _circle(_edges()) == []


def _edges() -> dict[str, set[str]]:
    return {
        name: {other for other in others if f"{name} -> {other}" not in EXCEPTIONS}
        for name, others in imports().items()
    }


def _circle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_modules_and_functions_are_read_in_one_sitting() -> None:
    def too_long() -> Iterator[str]:
        for name, module in modules().items():
            if module.lines > LARGEST_MODULE:
                yield f"{name}: {module.lines} lines"
            for node in ast.walk(module.tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    if lines > LARGEST_FUNCTION:
                        yield f"{name}.{node.name}: {lines} lines"

    assert unexpected(too_long()) == []


def test_modules_of_tests_are_not_much_longer() -> None:
    def too_long() -> Iterator[str]:
        for path in sorted((REPOSITORY / "tests").rglob("*.py")):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LARGEST_TESTS:
                yield f"{path.relative_to(REPOSITORY)}: {lines} lines, at most {LARGEST_TESTS}: split it by subject"

    assert unexpected(too_long()) == []


def test_only_clocks_read_the_time_and_sleep() -> None:
    def readers() -> Iterator[str]:
        for name, module in modules().items():
            if owner(name) != "awsclock" and name not in CLOCKS and not _in(name, REAL_TIME):
                yield from (f"{name}:{line}: {call}" for call, line in clock_calls(module))

    assert unexpected(readers()) == []
    in_use = {
        room
        for name, module in modules().items()
        if any(clock_calls(module))
        for room in REAL_TIME
        if _in(name, (room,))
    }
    assert in_use == set(REAL_TIME), "a reason whose module reads no clock"


def clock_calls(module: Module) -> Iterator[tuple[str, int]]:
    """Calls that read a clock or wait for one, also of an event loop; `asyncio.sleep(0)` does neither."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        call = ast.unparse(node.func)
        of, _, method = call.rpartition(".")
        is_loop = of.endswith(("loop", "get_running_loop()", "get_event_loop()"))
        if (
            (of == "time" and method in {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"})
            or (of.endswith("datetime") and method in {"now", "utcnow"})
            or (is_loop and method in {"time", "call_later", "call_at"})
            or (call == "asyncio.sleep" and not (isinstance(node.args[0], ast.Constant) and node.args[0].value == 0))
        ):
            yield call, node.lineno


def _in(name: str, rooms: Iterable[str]) -> bool:
    return any(f"{name}.".startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize("package", ENTRIES)
def test_a_package_shows_few_entries(package: str) -> None:
    entries = [path.name for path in (REPOSITORY / package).iterdir() if path.name != "__pycache__"]
    assert len(entries) <= ENTRIES[package], entries


def test_house_habits_are_rare() -> None:
    texts = [*docstrings(), *(path.read_text(encoding="utf-8") for path in _documents())]
    words = sum(len(re.findall(r"[A-Za-z']+", text)) for text in texts)
    counts = Counter({habit: sum(len(_word(habit).findall(text)) for text in texts) for habit in HABITS})
    assert {habit: count for habit, count in counts.items() if count > words / 1000 * MOST_HABITS} == {}


def _word(habit: str) -> re.Pattern[str]:
    return re.compile(rf"\b{habit}\b", re.IGNORECASE)


def docstrings() -> Iterator[str]:
    """Also those of attributes: every string that is a statement."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield node.value.value


def _documents() -> Iterator[Path]:
    for folder in (".", "docs", "docs/decisions", "benchmarks"):
        yield from sorted((REPOSITORY / folder).glob("*.md"))
