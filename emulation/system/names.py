"""Names that become paths, branches and keys. What is not certainly harmless is refused, not repaired."""

from __future__ import annotations

import re

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LOCAL_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62}){0,9}")
_THREAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_WORK = _SESSION


class InvalidName(ValueError):
    """A name that must not become a path or a key; the message says which rule it breaks."""


def client_id(value: object) -> str:
    return _matching("clientId", value, _CLIENT, "1 to 63 letters, digits, '-' or '_', the first a letter or digit")


def session_id(value: object) -> str:
    return _matching("sessionId", value, _SESSION, "1 to 100 letters, digits, '-' or '_'")


def work_id(value: object) -> str:
    return _matching("workId", value, _WORK, "1 to 100 letters, digits, '-' or '_'")


def thread_id(value: object) -> str:
    """The bare id of a thread; a leading `thread-`, as branches have it, is taken off."""
    bare = value.removeprefix("thread-") if isinstance(value, str) else value
    return _matching("threadId", bare, _THREAD, "1 to 64 letters, digits or '-', the first a letter or digit")


def user_id(value: object) -> str:
    """A user's address, or the local part alone."""
    if isinstance(value, str) and len(value) <= 254:
        local, at, domain = value.partition("@")
        if _is_local_part(local) and (not at or _DOMAIN.fullmatch(domain)):
            return value
    raise InvalidName(
        f"userId must be an address such as test@example.com whose local part is 1 to 64 letters, digits, "
        f"'.', '_', '+' or '-', got {_shown(value)}"
    )


def user_folder(user: str) -> str:
    """The folder of a user: the local part of the address (`test@example.com` has `test`)."""
    return user_id(user).partition("@")[0].lower()


def branch(thread: str) -> str:
    """The git branch of a thread."""
    return f"thread-{thread_id(thread)}"


def _is_local_part(text: str) -> bool:
    """A harmless file name that is also a harmless part of a git ref (git refuses `..` and `.lock`)."""
    return bool(_LOCAL_PART.fullmatch(text)) and ".." not in text and not text.endswith((".", ".lock", ".git"))


def _matching(name: str, value: object, pattern: re.Pattern[str], rule: str) -> str:
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise InvalidName(f"{name} must be {rule}, got {_shown(value)}")


def _shown(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
