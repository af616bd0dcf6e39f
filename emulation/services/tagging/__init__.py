"""The Resource Groups Tagging API: what carries which tags, over all services of this cloud."""

from .controller import Tagging

__all__ = ["Tagging"]
