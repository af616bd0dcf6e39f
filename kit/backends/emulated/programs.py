"""Command lines of the emulator and of the reference system's programs: all that the kit knows of `emulation`."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import UsageError

HERMES_IMAGE, EDIT_IMAGE = "webordinary/hermes:test", "webordinary/edit:test"
IMAGES = {"hermes": HERMES_IMAGE, "edit": EDIT_IMAGE}
"""The images of the system under test, by service."""
_EMULATOR = ("-m", "webordinary_testkit.emulation")
_REFERENCE = {
    "hermes": ("-m", "webordinary_testkit.emulation.system.hermes"),
    "edit": ("-m", "webordinary_testkit.emulation.system.edit"),
}
MODULES = {service: module for service, (_, module) in _REFERENCE.items()}
"""The reference system's programs, by service."""


def emulator(config: Mapping[str, Any]) -> list[str]:
    return [sys.executable, *_EMULATOR, "--config", json.dumps(config)]


def reference() -> dict[str, list[str]]:
    """The reference system's programs by image, in place of Webordinary's own images."""
    return {IMAGES[service]: [sys.executable, *arguments] for service, arguments in _REFERENCE.items()}


def configured(by_image: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The programs of the settings as a task can run them, in its own working directory.

    Words that are files here become absolute paths, and `python` becomes the Python that runs the kit.
    """
    return {image: _command(words) for image, words in by_image.items()}


def _command(words: Sequence[str]) -> list[str]:
    found = [str(Path(word).absolute()) if Path(word).is_file() else word for word in words]
    return [sys.executable, *found[1:]] if words[0] in ("python", "python3") else found


def astro_installer() -> list[str]:
    """Finds or installs Astro for the edit service's previews; prints `{"node_modules": …}`."""
    return [sys.executable, "-m", f"{MODULES['edit']}.astro.install"]


def image_recipes() -> Path:
    """The folder with the Dockerfile and recipes of the container images (see `kit.images`)."""
    found = importlib.util.find_spec(_EMULATOR[1])
    if found is None or not found.submodule_search_locations:
        raise UsageError("the emulated cloud is not installed", next="pip install webordinary-test-kit")
    return Path(found.submodule_search_locations[0]) / "images"
