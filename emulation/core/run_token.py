"""Whose cloud this is: a token that whoever started it put into its environment, and all that it starts carries."""

from __future__ import annotations

import os

RUN_VARIABLE = "EMULATION_RUN"


def run_variables() -> dict[str, str]:
    """For the environment of a task, so that it can be told for this run's own; nothing when nobody owns the cloud."""
    token = os.environ.get(RUN_VARIABLE)
    return {} if token is None else {RUN_VARIABLE: token}
