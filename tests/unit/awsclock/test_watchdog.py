"""What the authority says when the clock does not move."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.awsclock import authority as authority_module
from webordinary_testkit.awsclock.authority import Authority
from webordinary_testkit.awsclock.page import Page
from webordinary_testkit.awsclock.quiescence import Threads


def test_it_says_what_holds_the_clock_and_not_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(authority_module, "_QUIET_FOR", 0.0)
    page = Page.create(tmp_path / "clock")
    driver, others = page.claim("the driver"), [page.claim("web"), page.claim("worker")]
    authority = Authority(page, Threads())
    for number in range(200):
        page.idle(driver, page.now() + 10**12, drives=True)
        page.busy(others[number % 2])
        page.idle(others[1 - number % 2], page.now() + 10**12, drives=False)
        authority.step()
    lines = capsys.readouterr().err.splitlines()
    assert "has not jumped for 0.0 s on this machine: w" in lines[0]
    assert len(lines) < 20
