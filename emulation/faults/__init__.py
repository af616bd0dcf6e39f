"""Faults that can be injected into the emulated cloud, and ended again."""

from .controller import Faults

__all__ = ["Faults"]
