"""How a function's runtime is started on this machine."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ... import lambda_runtimes
from .function import Function, invalid

PYTHON = lambda_runtimes.__name__
"""The package that runs Python handlers, by `-m`."""
_FOLDER = Path(lambda_runtimes.__file__).parent


def program(function: Function) -> Sequence[str]:
    """The command that runs a function. Raises `AwsError` where its interpreter is not installed."""
    name = str(function.settings.get("Runtime", ""))
    for pattern, command in _COMMANDS.items():
        if re.fullmatch(pattern, name):
            return command(function)
    raise _not_here(name, "it is not emulated")


def check(function: Function) -> None:
    """Raises `AwsError` for a runtime that cannot run here."""
    program(function)


def _python(function: Function) -> Sequence[str]:
    return [sys.executable, "-m", PYTHON]


def _node(function: Function) -> Sequence[str]:
    if (node := shutil.which("node")) is None:
        raise _not_here(str(function.settings["Runtime"]), "there is no `node` on PATH; install Node 18 or later")
    return [node, f"--max-old-space-size={function.memory}", str(_FOLDER / "node.mjs")]


def _own(function: Function) -> Sequence[str]:
    return [str(function.folder / "bootstrap")]


_COMMANDS: dict[str, Callable[[Function], Sequence[str]]] = {
    r"python3\.\d+": _python,
    r"nodejs\d+\.x": _node,
    r"provided(\.al2|\.al2023)?": _own,
}
"""Python handlers run in the cloud's own Python, whatever version the runtime names."""


def _not_here(name: str, why: str) -> Exception:
    return invalid(
        f"The runtime {name!r} does not run here: {why}. Expected python3.x, nodejs18.x or later where Node is "
        "installed, or provided.al2023 with an executable `bootstrap`. Nothing was changed."
    )
