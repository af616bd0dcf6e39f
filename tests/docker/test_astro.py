"""Real Astro in the edit image: a change by mail reaches a page that is open in a browser. Needs Chromium.

The machine's own Node is out of it: the image has one, and the site's modules.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.open_page import changed_by_a_mail
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import Scenario
from webordinary_testkit.kit.settings import load


async def test_a_change_made_by_a_mail_reaches_an_open_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_page(h: Harness) -> None:
        await changed_by_a_mail(h, tmp_path)

    monkeypatch.chdir(tmp_path)
    run = Run(load({"emulated": {"runtime": "docker", "preview": "astro"}}))
    await run.start()
    try:
        outcome = await run.execute(Scenario("open_page", "a change reaches an open page", (), open_page))
    finally:
        await run.stop()
    assert outcome.verdict is Verdict.PASS, outcome.message
    assert [preview.partition(" ")[0] for preview in run.report.previews] == ["astro"]
    assert run.report.about["left_behind"] == []
