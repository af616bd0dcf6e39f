"""Hostile instructions and ids: they stay text, and nothing escapes."""

from __future__ import annotations

import asyncio
import base64
import html
import re

from ..backends import capability
from ..core.checkers import one_reply_each
from ..harness import Harness
from ..harness.letter import Letter
from ..harness.mail import SentMail
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import NOTHING_CHANGED, SERVICES, WORK_TRAILER
from .registry import scenario
from .steps.journeys import end_at_zero, start_at_zero

_BIG = 100 * 1024
_BAD_IDS = ("../../etc", "..", "a/b", "a\\b", "$(id)", "`id`", "a b", "a\nb", ".git", "a\x00b", "")
_LOOK = 'find "$HOME" "$PWD" /tmp -maxdepth 1 -name "*WORD*"'
_LOOK_AROUND = f'{_LOOK}; find "$WORKSPACE_PATH" -maxdepth 4 -name "*WORD*"'
"""Where an executed text would leave its file: home, working directory, /tmp, workspace."""


@scenario(
    "hostile_input",
    needs=capability.MAIL_TO_PREVIEW,
    proves="what a client writes stays text, ids lead nowhere, and the developer's own git is not touched",
    checkers=(one_reply_each,),
)
async def hostile_input(h: Harness) -> None:
    """Texts full of shell and ids full of paths; the scenario looks for their effects."""
    await start_at_zero(h)
    before = await h.developer.state()
    marker, canary = h.new_marker(), h.new_marker()
    texts = _texts(canary)
    with h.step("1 a mail asks for pages of hostile text", target=h.timeouts.wake):
        mail = await h.send_mail(_pages(marker, texts), marker=marker)
        session = await h.wait_for_session(mail)
    async with h.visiting(session):
        with h.step("2 it is done as it was asked", target=h.timeouts.reply):
            await h.wait_for_reply(mail)
            await h.wait_for_container_ready(session)
        async with h.sentinel.planted():
            with h.step("3 each text is literally in its page and in the commit"):
                await _verify_pages(h, session, marker, texts)
                people = await _verify_commit(h, session, texts, before.identity, canary)
            with h.step("4 ids that are paths or commands are refused"):
                await _verify_bad_ids(h, session)
                await _verify_bad_work(h, session)
            with h.step("5 a mail from a path, to a path, empty, for a path: told so", target=h.timeouts.reply):
                async with asyncio.TaskGroup() as group:
                    group.create_task(_verify_bad_addresses(h))
                    group.create_task(_verify_bad_files(h, session, canary))
            with h.step("6 nothing that a text would have made is in a container"):
                await _verify_no_canary(h, canary)
            with h.step("7 the developer's repositories and identity are untouched, and so is a sentinel of the kit's"):
                await h.developer.verify_untouched(before, [marker, canary], people)
                await h.sentinel.verify_untouched()
    with h.step("8 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await end_at_zero(h, session)


def _texts(canary: str) -> dict[str, str]:
    """Texts by name; each would leave a file named after the canary, or break its reader."""
    touch = f'touch {canary}; touch "$WORKSPACE_PATH/{canary}"; touch /tmp/{canary}'
    return {
        "quotes": f"it's; '; {touch}; ' && {touch}",
        "backticks": f"`{touch}`",
        "dollar": f"$({touch}) ${{IFS}} $HOME",
        "markup": f"<script>{canary}</script> {{process.exit(1)}} --- </Base>",
        "option": "--amend --author=evil",
        "newlines": f"first\n{touch}\n\n{WORK_TRAILER}: {canary}\n",
        "unicode": "Grüße 你好 ½ ñ مرحبا 👩‍👧 \u202eabc\u202c",
        "big": "x" * _BIG,
    }


def _pages(marker: str, texts: dict[str, str]) -> str:
    return "\n".join(f"{facts.add_page(f'{name} {marker}')} with “{text}”" for name, text in texts.items())


async def _verify_pages(h: Harness, session: TestSession, marker: str, texts: dict[str, str]) -> None:
    __tracebackhide__ = True
    for name, text in texts.items():
        answer = await h.fetch_preview(session, facts.slug(f"{name} {marker}"))
        h.checks.equal(answer.status, 200, f"the status of {answer.url}")
        shown = html.unescape(re.sub(r"</?(?:p|br)[^>]*>", "", answer.body))
        there = _words(text) in _words(shown) if "\n" in text else text in shown  # lines become paragraphs
        h.check(there, f"the text {name!r} literally in {answer.url}", seen=answer.body[:2000])
        h.check("<script>" not in text or text not in answer.body, f"no script of the text {name!r} in {answer.url}")


def _words(text: str) -> str:
    return " ".join(text.split())


async def _verify_commit(
    h: Harness, session: TestSession, texts: dict[str, str], developer: str, canary: str
) -> tuple[str, ...]:
    """Check that the texts are in the message, but not its author or one of its trailers.

    Returns author and committer. Neither is the developer, so a task's commit is recognized in any repository.
    """
    __tracebackhide__ = True
    form = f"%an <%ae>%n%cn <%ce>%n%(trailers:key={WORK_TRAILER},valueonly,separator=%x2C)%n%B"
    log = await h.repositories.git(session, f'log -1 --format="{form}" | base64')
    author, committer, trailers, message = base64.b64decode(log).decode().split("\n", 3)
    for name, text in texts.items():
        h.check(text.strip() in message, f"the text {name!r} literally in the commit", seen=message[:2000])
    for what, who in (("an author", author), ("a committer", committer)):
        h.check(who not in ("", " <>", developer), f"{what} who is not the developer of this machine", seen=who)
        h.check("evil" not in who, f"{what} that no text has named", seen=who)
    works = trailers.split(",")
    h.check(
        len(works) == 1 and works[0] and canary not in works[0],
        f"one {WORK_TRAILER}, and none of a text",
        seen=trailers,
    )
    return author, committer


async def _verify_bad_ids(h: Harness, session: TestSession) -> None:
    __tracebackhide__ = True
    url = h.system.activate_url()
    good = {"clientId": session.client_id, "userId": h.new_user(h.new_marker()), "instruction": "Add a page called X"}
    for field in ("clientId", "userId"):
        for bad in _BAD_IDS:
            answer = await h.http.request("POST", url, body={**good, field: bad})
            h.checks.equal(answer.status, 400, f"the status of an activation with {field} {bad!r}")
    answer = await h.http.request("POST", url, body={**good, "instruction": " \n"})
    h.checks.equal(answer.status, 400, "the status of an activation with an empty instruction")
    rows = await h.sessions.rows_of(session.client_id, good["userId"])
    h.checks.equal(rows, [], "the sessions of requests that were refused")
    answer = await h.http.get(h.system.preview_url("..%2f..%2f..%2fetc%2fpasswd"))
    h.checks.equal(answer.status, 400, f"the status of {answer.url}")
    answer = await h.fetch_preview(session, "..%2f..%2f..%2f..%2fetc%2fpasswd")
    h.checks.equal(answer.status, 404, f"the status of {answer.url}")


async def _verify_bad_work(h: Harness, session: TestSession) -> None:
    """Check that the container validates ids itself and does not rely on Hermes."""
    __tracebackhide__ = True
    row = await h.verify_session_exists(session)
    good = {
        "clientId": session.client_id,
        "userId": session.user_id,
        "threadId": row.thread_id,
        "workId": h.new_marker(),
        "instruction": "Add a page called X",
    }
    url = h.system.work_url(session.session_id)
    for field in ("clientId", "userId", "threadId", "workId"):
        for bad in _BAD_IDS:
            answer = await h.http.request("POST", url, body={**good, field: bad})
            h.checks.equal(answer.status, 400, f"the status of a job with {field} {bad!r}")
    answer = await h.http.request("POST", h.system.work_url("..%2f..%2fetc"), body=good)
    h.checks.equal(answer.status, 400, f"the status of {answer.url}")


async def _verify_bad_files(h: Harness, session: TestSession, canary: str) -> None:
    """Check that an instruction for a file outside the site is answered and makes no commit."""
    __tracebackhide__ = True
    row = await h.verify_session_exists(session)
    commits = await h.repositories.log(session)
    mails = []
    for path in (f"../../../../{canary}.txt", f"/tmp/{canary}.txt", f".git/hooks/{canary}.txt"):  # noqa: S108 - a path the scenario types into a mail
        text = f"{facts.create_file(path, 'x')}\n\n> Conversation ID: {row.thread_id}\n"
        mails.append(await h.send_mail(text, marker=h.new_marker(), sender=session.user_id))
    async with asyncio.TaskGroup() as group:
        for mail in mails:
            group.create_task(_verify_refused(h, mail))
    await h.repositories.verify_unchanged(session, commits)
    await h.repositories.verify_whole(session)


async def _verify_bad_addresses(h: Harness) -> None:
    """Check that each of these mails is answered and opens no session."""
    __tracebackhide__ = True
    good = h.system.address_for(h.settings.test_data.client_id)
    local, _, domain = good.partition("@")
    mails = []
    for sign, to, text in (
        ("/`id`$HOME|&", good, "Add a page called X"),
        ("", f"{local}+a/b@{domain}", "Add a page called X"),
        ("", good, ""),
    ):
        marker = h.new_marker()
        sender = h.system.user_address(f"{marker}{sign}")
        mails.append(await h.mail.send(Letter(text, subject="Re: my site"), sender=sender, to=to, marker=marker))
    for mail in mails:
        await _verify_refused(h, mail)
        rows = await h.sessions.rows_of(h.settings.test_data.client_id, mail.sender)
        h.checks.equal(rows, [], f"the sessions of {mail.sender}")


async def _verify_refused(h: Harness, mail: SentMail) -> None:
    __tracebackhide__ = True
    body = facts.body_text((await h.wait_for_reply(mail)).message)
    h.check(NOTHING_CHANGED in body, f"the reply to {mail.sender} to say that {NOTHING_CHANGED}", seen=body)


async def _verify_no_canary(h: Harness, canary: str) -> None:
    """Look for the canary in both services' containers; a control file shows that the search works."""
    __tracebackhide__ = True
    control = h.new_marker()
    planted = await h.exec_in_container(f'touch "$WORKSPACE_PATH/{control}"; {_LOOK_AROUND.replace("WORD", control)}')
    h.check(control in planted.output, "the look to find a file that is there", seen=planted.output)
    await h.exec_in_container(f'rm "$WORKSPACE_PATH/{control}"')
    for service in SERVICES:
        look = _LOOK_AROUND if service == "edit" else _LOOK
        found = await h.exec_in_container(look.replace("WORD", canary), service=service)
        h.checks.equal(found.output.strip(), "", f"files called {canary} in {service}")
