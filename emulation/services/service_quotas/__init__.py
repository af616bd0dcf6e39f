"""Service Quotas."""

from .controller import Quotas

__all__ = ["Quotas"]
