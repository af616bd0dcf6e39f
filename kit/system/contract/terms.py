"""Building blocks of the contract: strict terms, units of time, and errors that name the message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from ...core.errors import Failed
from ...core.eventually import shortened

_SECONDS = (10**9, 10**10)
"""Epoch seconds of the years 2001 to 2286; the milliseconds of those years are far from them."""
_MILLISECONDS = (10**12, 10**13)


class ContractBroken(Failed):
    """A message broke the contract."""


class Terms(BaseModel):
    """Terms of the contract. Values are not converted: a number in quotes is no number. Extra fields are allowed."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


def _seconds(value: object) -> object:
    return _in_unit(value, _SECONDS, "epoch seconds")


def _milliseconds(value: object) -> object:
    return _in_unit(value, _MILLISECONDS, "epoch milliseconds")


def _iso(value: object) -> object:
    if isinstance(value, str):
        try:
            if datetime.fromisoformat(value).tzinfo is not None:
                return value
        except ValueError:
            pass
    raise PydanticCustomError("unit", "{seen}, expected a time as ISO 8601 with its offset", {"seen": _unit_of(value)})


Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
EpochSeconds = Annotated[int, BeforeValidator(_seconds)]
EpochMilliseconds = Annotated[int, BeforeValidator(_milliseconds)]
IsoTime = Annotated[str, BeforeValidator(_iso)]

T = TypeVar("T", bound=Terms)


def agreed(terms: type[T], value: object, hop: str) -> T:
    """Validate a value. Raises `ContractBroken` that describes each wrong field and names the hop."""
    __tracebackhide__ = True
    try:
        return terms.model_validate(value)
    except ValidationError as error:
        raise broken(
            terms.__name__, hop, [_described(each, value) for each in error.errors(include_url=False)]
        ) from None


def broken(what: str, hop: str, breaches: Iterable[str]) -> ContractBroken:
    """The error for breaches of the contract."""
    return ContractBroken("\n".join([f"the contract {what} is broken at {hop}:", *(f"  {each}" for each in breaches)]))


def _described(error: ErrorDetails, value: object) -> str:
    place = ".".join(map(str, error["loc"])) or "the whole"
    if error["type"] == "missing":
        near = _renamed(str(error["loc"][-1]), error["input"])
        return f"{place} is missing" + (f"; there is {near!r}, is it that?" if near else "")
    if error["type"] in ("unit", "model_type"):
        return (
            f"{place}: {error['msg']}" if error["type"] == "unit" else f"{place} is no object: {shortened(value, 120)}"
        )
    return f"{place}: {error['msg']}, seen {shortened(repr(error['input']), 120)}"


def _renamed(name: str, siblings: Any) -> str | None:
    """The sibling whose name is similar to a missing field's."""
    if not isinstance(siblings, Mapping):
        return None
    plain = {re.sub(r"[^a-z0-9]", "", str(key).lower()): str(key) for key in siblings}
    near = difflib.get_close_matches(name.lower(), plain, n=1, cutoff=0.7)
    return plain[near[0]] if near else None


def _in_unit(value: object, bounds: tuple[int, int], unit: str) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and bounds[0] <= value < bounds[1]:
        return value
    raise PydanticCustomError("unit", "{seen}, expected {unit}", {"seen": _unit_of(value), "unit": unit})


def _unit_of(value: object) -> str:
    """A value with its apparent unit."""
    shown = shortened(repr(value), 80)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for (low, high), unit in ((_SECONDS, "epoch seconds"), (_MILLISECONDS, "epoch milliseconds")):
            if low <= value < high:
                return f"{shown}, which is in {unit}" + ("" if isinstance(value, int) else " and not whole")
    elif isinstance(value, str):
        return f"{shown}, which is text"
    return shown
