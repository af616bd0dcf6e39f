"""The sample site is a real Astro site: `astro build` takes it, and what the scripted agent writes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.system import sample_site
from webordinary_testkit.emulation.system.agent import parse, plan
from webordinary_testkit.emulation.system.edit.astro.install import SITE
from webordinary_testkit.emulation.system.edit.astro.toolchain import Toolchain

INSTRUCTION = """Add a page called "News & <b>{more}</b>" with the text "We moved. `$(x)` </p> // {1 + 1}"
Create a components/Header.astro file with the text "Hello"
Update about.astro with the text "Nobody bakes here."
"""


def built(toolchain: Toolchain, site: Path) -> Path:
    """The site as a web server would have it."""
    (site / "node_modules").symlink_to(toolchain.modules)
    done = subprocess.run(
        [toolchain.node, toolchain.modules / "astro" / "astro.js", "build"],
        cwd=site,
        env={"PATH": "/usr/bin:/bin", "HOME": str(site.parent), "ASTRO_TELEMETRY_DISABLED": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return site / "dist"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("node_modules", "dist", ".astro"))
    )


def test_the_sample_site_builds(toolchain: Toolchain, site: Path) -> None:
    dist = built(toolchain, site)
    pages = {path.relative_to(dist).as_posix() for path in dist.rglob("*.html")}
    assert pages == {"index.html", "about/index.html", "404.html"}
    assert "<h1>Welcome</h1>" in (dist / "index.html").read_text()


def test_what_the_agent_writes_builds_and_stays_words(toolchain: Toolchain, site: Path) -> None:
    for path, content in plan(parse(INSTRUCTION), sample_site()).changes.items():
        assert content is not None
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    dist = built(toolchain, site)
    news = next(path for path in dist.rglob("*.html") if "news" in path.parent.name).read_text()
    assert "News &amp; &lt;b&gt;{more}&lt;/b&gt;" in news
    assert "We moved. `$(x)` &lt;/p&gt; // {1 + 1}" in re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), news)
    assert "Nobody bakes here." in (dist / "about/index.html").read_text()
