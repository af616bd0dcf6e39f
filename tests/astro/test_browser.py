"""A change reaches a page that is open in a browser, by hot reload: nobody presses a key."""

from __future__ import annotations

from pathlib import Path

from tests.support.browser import browser
from tests.support.open_page import SEEN_WITHIN, changed_by_a_mail, opened
from tests.support.system import edit_container, until
from webordinary_testkit.kit.harness import Harness


async def test_a_change_made_by_a_mail_reaches_an_open_page(kit_harness: Harness, tmp_path: Path) -> None:
    await changed_by_a_mail(kit_harness, tmp_path)


async def test_the_builtin_preview_reloads_an_open_page_too(tmp_path: Path) -> None:
    async with edit_container(tmp_path / "workspace") as edit, browser(tmp_path) as chromium:
        await edit.work("w1", "create page A")
        page = await opened(chromium, f"{edit.url}/session/s1/page-a", "Page A")
        await edit.work("w2", 'Update the page "Page A" with the text "second words"')
        await until(page.text, lambda text: "second words" in text, within=SEEN_WITHIN)
        assert len(page.loaded) == 2
        assert page.failed == []
