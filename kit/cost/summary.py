"""One-line summaries of cost and prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..settings import Settings


def cost_line(cost: Mapping[str, Any]) -> str:
    """Summarizes a report's cost."""
    if not cost:
        return ""
    verb = "cost" if cost["spent"] else "would cost live"
    off = cost["prediction_error"]
    predicted = "" if off is None else f"; predicted ${cost['predicted']['usd']:.4f} ({off:+.0%})"
    error = f"; incomplete: {cost['error']}" if "error" in cost else ""
    parts = f"${cost['marginal_usd']:.4f} for usage, ${cost['fixed_usd']:.4f} for resources that only exist"
    return f"{verb} ${cost['usd']:.4f}: {parts}{predicted}{error}"


def prediction_line(settings: Settings, predicted: Mapping[str, Any]) -> str:
    """Summarizes a prediction."""
    verb = "costs" if settings.mode == "live" else "would cost live"
    minutes = predicted["aws_seconds"] / 60
    between = f"${predicted['usd_low']:.3f} to ${predicted['usd_high']:.3f}"
    cost = f"{verb} ${predicted['usd']:.3f} ({between})"
    return f"predicted: {minutes:.0f} min of AWS time, {cost}; from: {predicted['basis']}"
