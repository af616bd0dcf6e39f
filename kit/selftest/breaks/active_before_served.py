"""A session is called active as soon as it is asked for, before its page is served."""

from dataclasses import replace
from typing import Any

from ..breaking import Break

BREAK = Break(
    "hermes", "readiness", r"the page of session \S+ of \S+, which is called active, to be served\nseen: (?!200)"
)


@BREAK.replaces("hermes.sessions", "Sessions.new")
def active_at_once(new: Any, *args: Any) -> Any:
    return replace(new(*args), status="active")
