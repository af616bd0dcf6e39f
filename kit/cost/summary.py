"""What a run cost, as people are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..settings import Settings


def line(cost: Mapping[str, Any]) -> str:
    """A report's cost in one line."""
    if not cost:
        return ""
    verb = "cost" if cost["spent"] else "would cost live"
    off = cost["prediction_error"]
    told = "" if off is None else f"; predicted ${cost['predicted']['usd']:.4f} ({off:+.0%})"
    error = f"; incomplete: {cost['error']}" if "error" in cost else ""
    parts = f"${cost['marginal_usd']:.4f} for what it did, ${cost['fixed_usd']:.4f} for what stood there"
    return f"{verb} ${cost['usd']:.4f}: {parts}{told}{error}"


def foretold(settings: Settings, predicted: Mapping[str, Any]) -> str:
    """A prediction in one line."""
    verb = "costs" if settings.mode == "live" else "would cost live"
    minutes = predicted["aws_seconds"] / 60
    between = f"${predicted['usd_low']:.3f} to ${predicted['usd_high']:.3f}"
    cost = f"{verb} ${predicted['usd']:.3f} ({between})"
    return f"predicted: {minutes:.0f} min of AWS time, {cost}; from: {predicted['basis']}"
