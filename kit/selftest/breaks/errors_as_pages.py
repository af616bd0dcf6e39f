"""Errors come as HTML, as a framework's default page does, and not as the agreed JSON."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"the contract Problem is broken at the answer 404[\s\S]*no JSON: <h1>")


@BREAK.replaces("answers", "error")
def page(error: Any, status: int, message: str) -> Any:
    answer = error(status, message)
    answer.body = f"<h1>{message}</h1>".encode()
    return answer
