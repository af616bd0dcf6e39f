"""The command `kit`. Each module is a command, and imports what it needs when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..core.errors import Failed, KitError
from ..core.version import __version__
from . import (
    audit,
    contract,
    deploy,
    destroy,
    doctor,
    explore,
    iam,
    images,
    janitor,
    logs,
    mail,
    mixes,
    outbox,
    parity,
    plan,
    prices,
    rehearse,
    replay,
    report,
    run,
    scenarios,
    selftest,
    status,
    up,
)

COMMANDS = (
    up,
    mail,
    status,
    run,
    explore,
    replay,
    mixes,
    rehearse,
    deploy,
    destroy,
    doctor,
    janitor,
    scenarios,
    report,
    logs,
    outbox,
    contract,
    images,
    selftest,
    audit,
    plan,
    prices,
    iam,
    parity,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Errors that the user can act on are one clear message."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (KitError, Failed) as error:
        sys.stderr.write(f"kit: {error}\n")
        return error.exit_code if isinstance(error, KitError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of the output is gone, as after `| head`.
        sys.stderr.close()
        return 141
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kit",
        description="Runs the same scenarios against an emulated cloud or real AWS.",
        epilog="Settings: kit.toml < environment (KIT_EMULATED__SCALE=10) < command line (--set emulated.scale=10).",
    )
    parser.add_argument("--version", action="version", version=f"webordinary-test-kit {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.arguments(command)
        command.set_defaults(run=module.run)
    return parser
