"""STS: caller identities and assumed roles."""

from .controller import Sts

__all__ = ["Sts"]
