"""STS: who a caller is, and roles to be assumed for a while."""

from emulation.sts.controller import Sts

__all__ = ["Sts"]
