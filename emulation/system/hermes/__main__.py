"""`python -m emulation.system.hermes`, configured by its environment (config.py)."""

from __future__ import annotations

import os
from functools import partial

from .. import logs, serving
from ..aws import Aws
from ..ids import Ids
from ..settings import read_or_exit
from .config import Settings


def main() -> None:
    settings = read_or_exit("hermes", Settings.of, os.environ)
    logs.set_up("hermes", settings.clock)
    listening = serving.bound("hermes", settings.host, settings.port)
    with serving.quick_imports(tls=settings.alb_url.startswith("https://")):
        aws = Aws(settings.clock, Ids(), region=settings.region, threads=24)
        aws.prepare("sqs", "dynamodb")
        from . import app  # noqa: PLC0415 - slow to import; bad settings are reported before
    serving.run(partial(app.run, settings, aws, listening), settings.clock)


if __name__ == "__main__":
    main()
