"""The Resource Groups Tagging API: what carries which tags, over all services of this cloud."""

from emulation.tagging.controller import Tagging

__all__ = ["Tagging"]
