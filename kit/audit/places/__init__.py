"""The places to look, in the order of cleaning: what holds others first."""

from __future__ import annotations

from kit.audit.place import Place
from kit.audit.places.engine import EngineThings
from kit.audit.places.files import Files
from kit.audit.places.folders import Folders
from kit.audit.places.ports import Ports
from kit.audit.places.processes import Processes


def places() -> list[Place]:
    """One of each kind."""
    return [Processes(), Ports(), EngineThings(), Folders(), Files()]
