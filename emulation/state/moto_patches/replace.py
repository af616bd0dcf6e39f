"""Replaces a function of moto in every module that imported it by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


def replace_everywhere(name: str, old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Replace it in the modules of moto imported so far, the defining one included; later ones import it from there."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("moto.") and getattr(module, name, None) is old:
            setattr(module, name, new)


def extend(owner: Any, name: str, extension: Callable[..., Any]) -> None:
    """Replace a method by one that calls `extension(original, self, …)`. Idempotent."""
    original = getattr(owner, name)
    known: tuple[Callable[..., Any], ...] = getattr(original, "extensions", ())
    if extension in known:
        return

    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return extension(original, self, *args, **kwargs)

    method.extensions = (*known, extension)  # type: ignore[attr-defined]
    setattr(owner, name, method)
