"""The Price List API."""

from .controller import Pricing

__all__ = ["Pricing"]
