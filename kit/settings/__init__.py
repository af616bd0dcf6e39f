"""Settings of a run: defaults < profile < `kit.toml` < environment (`KIT_…`) < command line."""

from __future__ import annotations

from .load import load
from .model import Emulated, Production, Settings, Stack, TestData, Timeouts

__all__ = ["Emulated", "Production", "Settings", "Stack", "TestData", "Timeouts", "load"]
