"""What can be made to go wrong in the emulated cloud, and undone again."""

from .controller import Faults

__all__ = ["Faults"]
