"""Errors come as HTML, as a framework's default page does, and not as the agreed JSON."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(error: Any) -> Any:
        def page(status: int, message: str) -> Any:
            answer = error(status, message)
            answer.body = f"<h1>{message}</h1>".encode()
            return answer

        return page

    wrap(part("answers"), "error", by)


BREAK = Break("hermes", "cold_start", r"the contract Problem is broken at the answer 404[\s\S]*no JSON: <h1>", apply)
