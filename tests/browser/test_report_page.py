"""The report page in a real Chromium, from disk: keys, look-up, and hostile text that runs nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.support.browser import browser
from tests.support.report_files import write_run
from tests.support.system import until
from webordinary_testkit.kit.report.page import write_page

PRESS = """
(keys => { const it = document.querySelector(".scroller");
  for (const key of keys) it.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})); })
"""


async def test_keys_go_from_event_to_event_and_look_them_up(tmp_path: Path) -> None:
    path = write_page(write_run(tmp_path / "r2"))
    async with browser(tmp_path, "--window-size=400,900") as chromium:
        page = await chromium.open(path.as_uri())
        await until(page.text, lambda text: "Why it did not pass" in text and "1:1" in text, within=20)
        await page.evaluate(PRESS + '(["ArrowRight", "ArrowRight", "ArrowRight", "Enter", "+"])')
        text = await page.text()
        assert "operations within 1.5 AWS s: 3" in text
        assert "AWS calls within 1.5 AWS s: 1" in text
        assert "create_session" in text
        assert await page.evaluate("document.querySelector('.scroller svg').getAttribute('width')") == "200%"
        assert await page.evaluate("document.title") == "fail · run r2"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
        assert page.failed == []
