"""The places to look, in the order of cleaning: what holds others first."""

from __future__ import annotations

from ..collector import Place
from .engine import EngineThings
from .files import Files
from .folders import Folders
from .ports import Ports
from .processes import Processes


def places() -> list[Place]:
    """One of each kind."""
    return [Processes(), Ports(), EngineThings(), Folders(), Files()]
