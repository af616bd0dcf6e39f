"""The harness: the verbs that scenarios and tests call."""

from .harness import Harness

__all__ = ["Harness"]
