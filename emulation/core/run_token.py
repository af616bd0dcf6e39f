"""The run token: set by the program that starts the cloud, and passed on to everything that the cloud starts."""

from __future__ import annotations

import os

RUN_VARIABLE = "EMULATION_RUN"


def run_variables() -> dict[str, str]:
    """Environment variables that mark a task as part of this run; empty for a cloud without a token."""
    token = os.environ.get(RUN_VARIABLE)
    return {} if token is None else {RUN_VARIABLE: token}
