"""Metrics carry another dimension than the one the alarms look at."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"the newest datapoint of ActiveSessionCount with .*Environment")


@BREAK.replaces("hermes.watch", "Watch.__init__")
def elsewhere(init: Any, *args: Any, **more: Any) -> None:
    init(*args, **more | {"environment": "production"})
