"""The verbs in which scenarios are written."""

from kit.harness.harness import Harness

__all__ = ["Harness"]
