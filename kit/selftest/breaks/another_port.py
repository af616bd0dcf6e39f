"""The server listens on another port than its container's: the process is alive but unreachable."""

from typing import Any

from ..breaking import Break

BREAK = Break("edit", "readiness", r"port open, for session[\s\S]*listening at nothing")


@BREAK.replaces("serving", "bound")
def any_free_port(bound: Any, program: Any, host: Any, _port: Any) -> Any:
    return bound(program, host, 0)
