"""What a client wrote themselves: without quoted mails, our own footer, signature, greeting and closing.

Line by line, and linear in the text's length: the libraries for this (mail-parser-reply, email-reply-parser)
use expressions that need minutes for some mails of 100 KB.
"""

from __future__ import annotations

import re

_SIGNATURE = ("--", "—")
_SENT_FROM = ("sent from my ", "get outlook for ", "von meinem ", "envoyé de mon ")
_FOOTER = re.compile(r"conversation id:", re.IGNORECASE)
_SEPARATOR = re.compile(r"-{3,}\s*(original message|forwarded message|ursprüngliche nachricht)\s*-{3,}", re.IGNORECASE)
_HEADER = re.compile(r"\*?(from|von|de)\s?:\*?\s", re.IGNORECASE)
_NEXT_HEADER = re.compile(r"\*?(sent|date|to|subject|gesendet|an|betreff|envoyé|à|objet)\s?:\*?\s", re.IGNORECASE)
_ATTRIBUTIONS = (("on ", " wrote"), ("am ", " schrieb"), ("le ", " a écrit"))
_LONGEST_ATTRIBUTION = 300
_GREETING = re.compile(r"(hi|hello|hey|dear|good (morning|afternoon|evening))\b[^\n\"'“‘«]{0,40}[,!.]?", re.IGNORECASE)
_CLOSING = re.compile(
    r"((many )?thanks|thank you|(kind|best|warm) regards|regards|best|cheers|yours( sincerely)?|sincerely)"
    r"( (a lot|so much|very much|in advance))?[,!.]*",
    re.IGNORECASE,
)
_LINES_BELOW_CLOSING = 4


def own_words(text: str) -> str:
    """The new part of a mail's plain text; empty when there is none."""
    kept: list[str] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line in _SIGNATURE or _SEPARATOR.fullmatch(line) or _is_rule(line) or _is_header_block(lines, at):
            break
        if length := _attribution(lines, at):
            at += length
            if not _quotation_follows(lines, at):
                break
            continue
        if not line.startswith(">") and not _FOOTER.search(line) and not line.lower().startswith(_SENT_FROM):
            kept.append(lines[at].rstrip())
        at += 1
    return "\n".join(_without_pleasantries(kept)).strip("\n")


def _without_pleasantries(lines: list[str]) -> list[str]:
    filled = [at for at, line in enumerate(lines) if line.strip()]
    for position, at in enumerate(filled):
        if position and _CLOSING.fullmatch(lines[at].strip()) and len(filled) - position - 1 <= _LINES_BELOW_CLOSING:
            lines, filled = lines[:at], filled[:position]
            break
    if len(filled) > 1 and _GREETING.fullmatch(lines[filled[0]].strip()):
        lines = lines[filled[0] + 1 :]
    return lines


def _is_rule(line: str) -> bool:
    """Outlook's line above the mail that is answered."""
    return len(line) >= 20 and not line.strip("_")


def _is_header_block(lines: list[str], at: int) -> bool:
    """`From: …` with `Sent:`, `To:` or `Subject:` below it."""
    return bool(_HEADER.match(lines[at].strip() + " ")) and any(
        _NEXT_HEADER.match(line.strip() + " ") for line in lines[at + 1 : at + 4]
    )


def _attribution(lines: list[str], at: int) -> int:
    """Lines that `On …, … wrote:` takes from here, up to three; 0 when it is none."""
    joined = ""
    for length, line in enumerate(lines[at : at + 3], start=1):
        joined = f"{joined} {line.strip()}".strip().lower()
        if len(joined) > _LONGEST_ATTRIBUTION or not line.strip():
            return 0
        verb = next((verb for start, verb in _ATTRIBUTIONS if joined.startswith(start)), None)
        if verb is None:
            return 0
        if verb in joined and joined.endswith(":"):
            return length
    return 0


def _quotation_follows(lines: list[str], at: int) -> bool:
    following = (lines[position].strip() for position in range(at, len(lines)))
    return next((line for line in following if line), "").startswith(">")
