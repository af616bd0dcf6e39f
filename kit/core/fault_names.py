"""What the history calls the steps of a fault; all by the caller `nemesis`."""

from __future__ import annotations

CALLER = "nemesis"
INJECT, VERIFY, UNDO = "nemesis.inject", "nemesis.verify", "nemesis.undo"
