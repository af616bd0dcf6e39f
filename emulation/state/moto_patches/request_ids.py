"""One request id throughout: what moto writes into its answers is the id the gateway recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .replace import replace_everywhere


@dataclass
class _Current:
    """The call being answered; moto answers one at a time."""

    request_id: str = ""


_current = _Current()


def answering(request_id: str) -> None:
    """The next answer moto makes is to the request of this id."""
    _current.request_id = request_id


def give_ours_to_moto() -> None:
    """Replace moto's own generator (52 random letters). Does nothing the second time."""
    from moto.utilities import aws_headers  # noqa: PLC0415 - heavy: only in the worker thread

    replace_everywhere("gen_amzn_requestid_long", aws_headers.gen_amzn_requestid_long, _request_id)


def _request_id(headers: dict[str, Any] | None = None) -> str:
    if headers is not None:
        headers["x-amzn-requestid"] = _current.request_id
    return _current.request_id
