"""`python -m emulation.system.edit`, configured by its environment (config.py)."""

from __future__ import annotations

import os
from functools import partial

from .. import logs, serving
from ..settings import read_or_exit
from .config import Settings


def main() -> None:
    settings = read_or_exit("edit", Settings.of, os.environ)
    logs.set_up("edit", settings.clock)
    listening = serving.bound("edit", settings.host, settings.port)
    with serving.quick_imports(tls=False):
        from . import app  # noqa: PLC0415 - slow to import; bad settings are reported before
    serving.run(partial(app.run, settings, listening), settings.clock)


if __name__ == "__main__":
    main()
