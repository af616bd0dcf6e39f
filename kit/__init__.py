"""A test kit that runs the same scenarios against an emulated cloud or real AWS."""

__version__ = "0.1.0"
