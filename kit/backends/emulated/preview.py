"""What shows the reference system's pages when it runs as processes: real Astro, or its built-in renderer.

In a container the image has Node and the modules, or not; what is not asked for is not used there either.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...aws.images import parameter_names
from ...core.errors import InfraError, UsageError

PARAMETER = "Preview"
"""Of the stack's template: what an edit container is told."""
Wanted = Literal["auto", "astro", "builtin"]
_MISSING = 3
"""Exit status of a machine on which Astro cannot run."""


@dataclass(frozen=True)
class Chosen:
    """`PREVIEW` of an edit process, and where it finds Astro; `why` it is the built-in one when Astro was asked for."""

    preview: Literal["astro", "builtin"]
    node_modules: str = ""
    why: str = ""

    def program(self, argv: Sequence[str]) -> list[str]:
        """The program of the edit image, told where the modules are."""
        return ["env", f"SITE_NODE_MODULES={self.node_modules}", *argv] if self.node_modules else list(argv)


def told(wanted: Wanted | None, template: str) -> dict[str, str]:
    """The stack parameter that says so; none when nothing is wanted, or for a template that does not know it."""
    return {PARAMETER: wanted} if wanted and PARAMETER in parameter_names(template) else {}


def chosen(wanted: Wanted | None) -> Chosen:
    """Have on this machine what the setting `emulated.preview` asks for; the site's packages may be installed. Blocks.

    Raises `UsageError` when it asks for Astro where that cannot run.
    """
    if wanted not in ("astro", "auto"):
        return Chosen("builtin")
    command = [sys.executable, "-m", "webordinary_testkit.emulation.system.edit.astro.install"]
    said: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        for line in program.stderr:
            sys.stderr.write(line)  # it says so before it installs something, which takes a while
            said.append(line.strip())
        told = program.stdout.read()
    if program.returncode == 0:
        return Chosen("astro", json.loads(told)["node_modules"])
    why = said[-1] if said else "it did not say why"
    if program.returncode != _MISSING:
        raise InfraError(f"looking for Astro failed with status {program.returncode}: {why}")
    if wanted == "astro":
        raise UsageError(
            f"real Astro cannot run here: {why}",
            where="emulated.preview",
            next='install what is missing, or set emulated.preview to "auto" (Astro where it is there) or "builtin"',
        )
    sys.stderr.write("the built-in preview is used\n")
    return Chosen("builtin", why=why)
