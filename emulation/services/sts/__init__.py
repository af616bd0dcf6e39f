"""STS: who a caller is, and roles to be assumed for a while."""

from .controller import Sts

__all__ = ["Sts"]
