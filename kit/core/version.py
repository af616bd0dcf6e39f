"""The version of this kit."""

__version__ = "0.1.0"
