"""Show the mails that the running cloud sent through SES."""

from __future__ import annotations

import argparse

from . import common, running

HELP = "show the mails that the running cloud has sent"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)


def run(args: argparse.Namespace) -> int:
    common.say_json(running.fetch(running.needed(common.load_settings(args).report_dir), "outbox"))
    return 0
