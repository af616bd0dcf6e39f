"""The kind of a ledger's entries that say how a fault is undone; what is in them, and who makes the calls, is
`kit.faults.undo`."""

from __future__ import annotations

FAULT = "fault"
