"""Send a mail to the running cloud, and follow it to its preview and its reply."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..core.errors import KitError, UsageError
from . import common, running

if TYPE_CHECKING:
    from ..harness import Harness
    from ..harness.mail import SentMail
    from ..harness.sessions import TestSession

HELP = "send a mail to the running cloud and follow it"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("instruction", help='what the mail asks for, for example: Add a new page called "Hello"')
    parser.add_argument(
        "--from", dest="sender", metavar="ADDRESS", default="you", help="sender (default: you@<the clients' domain>)"
    )
    parser.add_argument("--to", metavar="ADDRESS", help="recipient (default: the stack's address)")
    parser.add_argument("--subject", default="Please change my site")
    parser.add_argument("--html", action="store_true", help="send it as HTML only")
    parser.add_argument("--no-follow", dest="follow", action="store_false", help="only send it")
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")


def run(args: argparse.Namespace) -> int:
    return common.run_async(_mail(args))


async def _mail(args: argparse.Namespace) -> int:
    from ..backends.interface import MailRefused  # noqa: PLC0415 - only where a cloud is used
    from ..harness.letter import Letter  # noqa: PLC0415

    settings = common.load_settings(args)
    if not _is_text(args.instruction + args.subject):
        raise UsageError("the instruction is not text: it has bytes that are not valid in this terminal's encoding")
    async with running.harness(settings) as (cloud, h):
        domain = cloud.stack.client_mail_domain
        sender = args.sender if "@" in args.sender else f"{args.sender}@{domain}"
        try:
            sent = await h.mail.send(
                Letter(args.instruction, subject=args.subject, html=args.html),
                sender=sender,
                to=args.to or h.system.address_for(settings.test_data.client_id),
            )
        except MailRefused as refused:
            raise KitError(
                f"the mail was refused: {refused}", where=f"recipient {args.to or cloud.stack.mail_address}"
            ) from None
        except OSError as error:
            raise KitError(
                f"the mail could not be sent: {error}", next="check that the cloud is running: kit status"
            ) from None
        facts: dict[str, Any] = {"message_id": sent.message_id, "from": sent.sender, "to": sent.to}
        tell = _Progress(h, sent, quiet=args.json)
        tell(f"accepted   {sent.message_id} from {sent.sender}")
        if args.follow:
            if not sender.lower().endswith(f"@{domain}"):
                raise UsageError(
                    f"the mail was sent, but replies to {sender} cannot be read from the stack's queue",
                    next=f"send it from an address at {domain}, or read it by: kit outbox",
                )
            facts |= await _follow(h, sent, tell, settings.test_data.client_id)
        if args.json:
            common.say_json(facts)
    return 0


def _is_text(text: str) -> bool:
    """Whether a text has no surrogates: Python decodes invalid bytes to them, and no mail can contain them."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


class _Progress:
    """Prints events with the time since the mail was accepted."""

    def __init__(self, h: Harness, sent: SentMail, *, quiet: bool) -> None:
        self._clock, self._since, self._quiet = h.clock, sent.accepted, quiet

    def __call__(self, what: str, at: float | None = None) -> float:
        aws = (self._clock.now() if at is None else at) - self._since
        if not self._quiet:
            common.say(f"{aws / self._clock.scale:7.2f} s  {aws:7.1f} AWS s  {what}")
        return round(aws, 3)


async def _follow(h: Harness, sent: SentMail, tell: _Progress, client_id: str) -> dict[str, Any]:
    session = await _session(h, sent, client_id)
    facts: dict[str, Any] = {
        "session": session.session_id,
        "session_aws_seconds": tell(f"session    {session.session_id}"),
    }
    await h.wait_for_container_ready(session, within=h.timeouts.wake)
    facts |= {"preview": session.preview_url, "preview_aws_seconds": tell(f"preview    {session.preview_url}")}
    reply = await h.wait_for_reply(sent, within=h.timeouts.wake)
    facts |= {
        "reply": str(reply.message["Subject"]),
        "reply_aws_seconds": tell(f"reply      {reply.message['Subject']}", reply.sent),
    }
    facts["reply_body"] = body = reply.text()
    if not tell._quiet:
        common.say("\n" + "\n".join(f"    {line}" for line in body.splitlines()))
    return facts


async def _session(h: Harness, sent: SentMail, client_id: str) -> TestSession:
    """The session that works on the mail: the user's open one with the latest activity."""
    from ..harness.sessions import TestSession  # noqa: PLC0415 - only where a cloud is used
    from ..system.facts import OPEN  # noqa: PLC0415

    async def look() -> TestSession | None:
        h.mail.raise_if_bounced(sent)
        rows = [row for row in await h.sessions.rows_of(client_id, sent.sender) if row.status in OPEN]
        if not rows:
            return None
        row = max(rows, key=lambda row: row.last_activity_ms)
        return TestSession(row.session_id, row.client_id, row.user_id, row.preview_url, "")

    found = await h.eventually(
        look,
        within=h.timeouts.wake,
        every=2.0,
        describe=f"a session for {sent.sender}",
        next="kit status, kit logs hermes",
    )
    assert found is not None
    return found
