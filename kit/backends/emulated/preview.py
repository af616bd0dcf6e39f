"""Chooses what renders the reference system's pages when it runs as processes: real Astro or its built-in renderer.

Containers use their image's own Node and modules; this machine's Astro is never used there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...aws.template import parameter_names
from ...core.errors import InfraError, UsageError
from . import programs

PARAMETER = "Preview"
"""The parameter of the stack's template that an edit container takes its renderer from."""
Wanted = Literal["auto", "astro", "builtin"]
_MISSING = 3
"""Exit status of a machine on which Astro cannot run."""


@dataclass(frozen=True)
class Renderer:
    """`PREVIEW` of an edit process, and where it finds Astro."""

    preview: Literal["astro", "builtin"]
    node_modules: str = ""
    why: str = ""
    """Why it is the built-in one although Astro was asked for."""

    def program(self, argv: Sequence[str]) -> list[str]:
        """The edit image's program, with the modules in its environment."""
        return ["env", f"SITE_NODE_MODULES={self.node_modules}", *argv] if self.node_modules else list(argv)


def parameter(wanted: Wanted | None, template: str) -> dict[str, str]:
    """The stack parameter for a renderer; none for a template that has no such parameter."""
    return {PARAMETER: wanted} if wanted and PARAMETER in parameter_names(template) else {}


def find_renderer(wanted: Wanted | None) -> Renderer:
    """Find what the setting `emulated.preview` asks for; may install the site's packages. Blocks.

    Raises `UsageError` when it asks for Astro where that cannot run.
    """
    if wanted not in ("astro", "auto"):
        return Renderer("builtin")
    messages: list[str] = []
    with subprocess.Popen(
        programs.astro_installer(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        for line in program.stderr:
            sys.stderr.write(line)  # an installation takes a while, and is announced here
            messages.append(line.strip())
        result = program.stdout.read()
    if program.returncode == 0:
        return Renderer("astro", json.loads(result)["node_modules"])
    why = messages[-1] if messages else "no reason given"
    if program.returncode != _MISSING:
        raise InfraError(f"looking for Astro failed with status {program.returncode}: {why}")
    if wanted == "astro":
        raise UsageError(
            f"real Astro cannot run here: {why}",
            where="emulated.preview",
            next='install what is missing, or set emulated.preview to "auto" (Astro if it can run) or "builtin"',
        )
    sys.stderr.write("the built-in preview is used\n")
    return Renderer("builtin", why=why)
