"""Replaces one function of moto wherever moto's modules took it by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def replace_everywhere(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """In every moto module imported so far; those imported later take it from where it is defined."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("moto.") and getattr(module, name, None) is old:
            setattr(module, name, new)
