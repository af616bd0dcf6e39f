"""The collectors, in the order of cleaning: what holds others first."""

from __future__ import annotations

from ..collector import Collector
from .engine import EngineResources
from .files import Files
from .folders import Folders
from .ports import Ports
from .processes import Processes


def collectors() -> list[Collector]:
    """One of each kind."""
    return [Processes(), Ports(), EngineResources(), Folders(), Files()]
