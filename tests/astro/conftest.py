"""Real Astro for tests: Node, the site's packages (installed once, in the user's cache), and a cloud that uses them.

What is missing fails these tests and is named. Who has no Node or no browser leaves them out: they are run by
`nox -s astro` only.
"""

from __future__ import annotations

import os

import pytest

from webordinary_testkit.emulation.system.edit.astro.install import installed
from webordinary_testkit.emulation.system.edit.astro.toolchain import Missing, Toolchain
from webordinary_testkit.kit.settings import Settings, load

SCALE = 5
"""An idle minute must be longer than Astro's first page takes: on two busy cores that is 5 to 8 wall seconds."""


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    try:
        return installed(os.environ)
    except Missing as missing:
        pytest.fail(f"real Astro cannot run here: {missing}", pytrace=False)


@pytest.fixture(scope="session")
def kit_settings(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The kit's own settings, with Astro in the place of the built-in preview."""
    defaults = {"report_dir": tmp_path_factory.mktemp("kit"), "emulated": {"scale": SCALE, "preview": "astro"}}
    return load(defaults=defaults)
