"""Hermes accepts any text of a caller as an id, paths and commands too."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "hostile_input", r"the status of an activation with clientId '")


@BREAK.replaces("names", "client_id")
@BREAK.replaces("names", "user_id")
def unchecked(checked: Any, value: object) -> Any:
    return value if isinstance(value, str) else checked(value)
