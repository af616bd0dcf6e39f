"""The verbs in which scenarios are written."""

from .harness import Harness

__all__ = ["Harness"]
