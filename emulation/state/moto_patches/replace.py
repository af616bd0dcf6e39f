"""Replaces a function of moto in every module that imported it by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def replace_everywhere(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Replace it in the modules of moto imported so far, the defining one included; later ones import it from there."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("moto.") and getattr(module, name, None) is old:
            setattr(module, name, new)
