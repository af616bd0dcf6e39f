"""A page that is open in a browser while a mail changes it: by hot reload, nobody presses a key."""

from __future__ import annotations

from pathlib import Path

from tests.support.browser import Browser, Page, browser
from tests.support.system import until
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.harness.mail import SentMail
from webordinary_testkit.kit.harness.sessions import TestSession
from webordinary_testkit.kit.scenarios.steps.journeys import verify_zero
from webordinary_testkit.kit.system import facts

SEEN_WITHIN = 60.0
"""Wall seconds, for two busy cores."""


async def opened(chromium: Browser, url: str, words: str) -> Page:
    """A page that shows these words and listens for changes."""
    page = await chromium.open(url)
    await until(page.text, lambda text: words in text, within=SEEN_WITHIN)
    await until(lambda: page.received, lambda received: {"type": "connected"} in received, within=SEEN_WITHIN)
    return page


async def changed_by_a_mail(h: Harness, folder: Path) -> None:
    """A mail makes a page, a second one changes it while it is open; Vite's client loads it anew, told by its socket
    through the load balancer. `folder` takes the browser's profile."""
    first, second = h.new_marker(), h.new_marker()
    title = f"Open Page {first}"
    mail = await h.send_mail(facts.add_page(title), marker=first)
    session = await h.wait_for_session(mail)
    await h.wait_for_container_ready(session)
    await h.wait_for_change(session, facts.slug(title), within=h.timeouts.container_ready)
    async with browser(folder) as chromium:
        url = h.system.preview_url(session.session_id, facts.slug(title))
        page = await opened(chromium, url, first)
        h.checks.equal(await page.evaluate("globalThis.beforeTheMail = true"), True, "a mark on the loaded document")
        again = await _send(h, session, facts.update_page(facts.slug(title), second), second)
        await until(page.text, lambda text: second in text, within=SEEN_WITHIN)
        h.checks.equal(page.loaded, [url, url], "the documents that the browser loaded")
        h.checks.equal(await page.evaluate("typeof beforeTheMail"), "undefined", "the mark, on the new document")
    h.check(
        all(
            address.startswith(f"{h.system.hot_reload_url('').split('?')[0]}/{session.session_id}?token=")
            for address in page.sockets
        ),
        "Vite's own socket through the load balancer's /ws/hmr",
        seen=page.sockets,
    )
    kinds = [message["type"] for message in page.received]
    h.check("full-reload" in kinds, "the message that made it load the page anew", seen=kinds)
    h.checks.equal(page.failed, [], "what the browser could not load")
    since = h.clock.now()
    for each in (mail, again):
        await h.wait_for_reply(each)
    await verify_zero(h, [session], since=since)
    h.check(
        any(name.startswith("astro ") for name in h.http.previews), "Astro to render the pages", seen=h.http.previews
    )


async def _send(h: Harness, session: TestSession, instruction: str, marker: str) -> SentMail:
    """A mail in the session's conversation."""
    row = await h.verify_session_exists(session)
    text = f"{instruction}\n\n> Conversation ID: {row.thread_id}\n"
    return await h.send_mail(text, marker=marker, sender=session.user_id)
