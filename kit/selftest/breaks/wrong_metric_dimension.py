"""Metrics carry another dimension than the one the alarms look at."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(init: Any) -> Any:
        def elsewhere(self: Any, *args: Any, **more: Any) -> None:
            init(self, *args, **more | {"environment": "production"})

        return elsewhere

    wrap(part("hermes.watch").Watch, "__init__", by)


BREAK = Break("hermes", "cold_start", r"the newest datapoint of ActiveSessionCount with .*Environment", apply)
