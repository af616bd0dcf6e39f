"""What a run is told: defaults < profile < `kit.toml` < environment (`KIT_…`) < command line."""

from __future__ import annotations

from kit.settings.load import load
from kit.settings.model import Emulated, Production, Settings, Stack, TestData, Timeouts

__all__ = ["Emulated", "Production", "Settings", "Stack", "TestData", "Timeouts", "load"]
