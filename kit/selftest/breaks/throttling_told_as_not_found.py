"""When DynamoDB refuses calls, clients are answered 404, as if the session did not exist."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "recovery", r"an error of the server's")


@BREAK.replaces("answers", "error")
def not_found(error: Any, status: int, message: str) -> Any:
    return error(404 if status == 503 else status, message)
