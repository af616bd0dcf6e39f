"""Quick starts of Python programs: processes forked from one that has imported what they need."""

from .client import Forked, ForkServer

__all__ = ["ForkServer", "Forked"]
