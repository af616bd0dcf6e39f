"""Checkers judge a finished scenario by its history alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .history import FAIL, INFO, INJECT, INVOKE, OK, VERIFY, Event
from .verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """A checker's verdict and its reason in one sentence."""

    verdict: Verdict
    message: str
    witness: tuple[Event, ...] = ()
    """The shortest chain of events that shows a violation, in order."""


Checker = Callable[[Sequence[Event]], Finding]
"""Judges the events of one scenario, in order. Changes nothing and reads nothing else."""


def every_operation_ended(events: Sequence[Event]) -> Finding:
    """Each invoke has exactly one end; without one its outcome is unknown."""
    ends = Counter(event.operation for event in events if event.type in (OK, FAIL, INFO))
    open_ones = [event for event in events if event.type == INVOKE and ends[event.index] != 1]
    if open_ones:
        names = ", ".join(f"{event.name} (#{event.index})" for event in open_ones)
        return Finding(Verdict.UNKNOWN, f"no single end is recorded for {names}")
    return Finding(Verdict.PASS, "every operation ended")


def every_fault_showed(events: Sequence[Event]) -> Finding:
    """The effect of each fault was observed; a fault without an effect proves nothing."""
    injected = {event.touches["injection"]: event for event in events if event.name == INJECT and event.type == OK}
    shown = {event.touches["injection"] for event in events if event.name == VERIFY and event.type == OK}
    unseen = [
        f"{event.touches['fault']} of {event.touches['target']}" for id, event in injected.items() if id not in shown
    ]
    if unseen:
        return Finding(
            Verdict.UNKNOWN, f"no effect was seen of {', '.join(unseen)}: what it should cause was not tested"
        )
    return Finding(Verdict.PASS, f"{len(injected)} fault(s), each seen")


def one_reply_each(events: Sequence[Event]) -> Finding:
    """Every accepted mail was answered once, and its senders got no other replies.

    A reply belongs to a mail by its In-Reply-To and its recipient. Replies to the senders of other scenarios are not
    judged: they may be late.
    """
    # A cloud may assign another Message-ID to an accepted mail, as SES does; replies name that one.
    sends = [event for event in events if event.name == "send_mail" and event.type in (OK, INFO)]
    sent = {_mail(event) for event in sends if event.type == OK}
    open_ones = {_mail(event) for event in sends if event.type == INFO}
    writers = {user for user, _ in sent | open_ones}
    came = Counter(_mail(event) for event in events if event.name == "reply" and event.type == OK)
    wrong = {
        "no reply to": sent - came.keys(),
        "more than one reply to": {mail for mail, count in came.items() if count > 1},
        "a reply to what was never accepted:": {mail for mail in came.keys() - sent - open_ones if mail[0] in writers},
    }
    problems = [f"{what} {_listed(mails)}" for what, mails in wrong.items() if mails]
    if problems:
        return Finding(Verdict.FAIL, "; ".join(problems))
    if open_ones:
        return Finding(Verdict.UNKNOWN, f"whether {_listed(open_ones)} was accepted is open")
    return Finding(Verdict.PASS, f"{len(sent)} mail(s), each answered once")


def _mail(event: Event) -> tuple[str, str]:
    """The sender and Message-ID of a mail; for a reply, its recipient and the Message-ID it answers."""
    return event.touches["user"].lower(), str(event.value.get("message", event.touches["message"]))


def _listed(mails: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{message or '(nothing)'} of {user}" for user, message in sorted(mails))


def run_checkers(events: Sequence[Event], checkers: Iterable[Checker]) -> list[Finding]:
    """The findings of the checkers. A checker that crashes is unknown, never a pass."""
    findings = []
    for checker in checkers:
        try:
            findings.append(checker(events))
        except Exception as error:
            name = getattr(checker, "__name__", repr(checker))
            findings.append(Finding(Verdict.UNKNOWN, f"checker {name} crashed: {type(error).__name__}: {error}"))
    return findings
