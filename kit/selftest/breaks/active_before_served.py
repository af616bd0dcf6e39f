"""A session is called active as soon as it is asked for, before its page is served."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(new: Any) -> Any:
        def at_once(self: Any, *args: Any) -> Any:
            return replace(new(self, *args), status="active")

        return at_once

    wrap(part("hermes.sessions").Sessions, "new", by)


BREAK = Break(
    "hermes", "readiness", r"the page of session \S+ of \S+, which is called active, to be served\nseen: (?!200)", apply
)
