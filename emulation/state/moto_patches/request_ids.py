"""Makes moto answer with the request id that the gateway recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .replace import replace_everywhere


@dataclass
class _Current:
    """The current call; moto answers one at a time."""

    request_id: str = ""


_current = _Current()


def set_current(request_id: str) -> None:
    """Set the request id of the next answer."""
    _current.request_id = request_id


def replace_generator() -> None:
    """Replace moto's generator (52 random letters). Idempotent."""
    from moto.utilities import aws_headers  # noqa: PLC0415 - heavy: only in the worker thread

    replace_everywhere("gen_amzn_requestid_long", aws_headers.gen_amzn_requestid_long, _request_id)


def _request_id(headers: dict[str, Any] | None = None) -> str:
    if headers is not None:
        headers["x-amzn-requestid"] = _current.request_id
    return _current.request_id
