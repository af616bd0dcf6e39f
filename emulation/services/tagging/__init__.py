"""The Resource Groups Tagging API over all emulated services."""

from .controller import Tagging

__all__ = ["Tagging"]
