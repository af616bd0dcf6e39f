"""A test kit that runs the same scenarios against an emulated cloud or real AWS."""

from .core.version import __version__

__all__ = ["__version__"]
