"""What the edit service imports and loads at its start, for a process that it is forked from. Starts no thread."""

from __future__ import annotations

from .. import sdk
from . import app

PROGRAM = app
sdk.load_models("dynamodb")
