"""The least-privilege policy of a live run's role, from the calls of a rehearsal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..settings import Settings

HELP = "print the IAM policy that a live run needs, for these settings"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--policy", action="store_true", help="the policy in one document (the default)")
    what.add_argument(
        "--write", type=Path, metavar="FOLDER", help="the policy as managed policies of IAM's size, one file each"
    )
    what.add_argument(
        "--trust", metavar="SUBJECT", help="who may assume the role: repo:OWNER/NAME:environment:live, by GitHub's OIDC"
    )
    what.add_argument(
        "--compare", nargs="+", type=Path, metavar="RECORD", help="exit 1 when these rehearsals called more or less"
    )
    what.add_argument(
        "--refresh",
        nargs="*",
        type=Path,
        metavar="RECORD",
        help="rewrite the policy in the repository from these rehearsals; with none, from the recorded calls",
    )


def run(args: argparse.Namespace) -> int:
    if args.compare:
        return _compare(args.compare)
    if args.refresh is not None:
        return _refresh(args.refresh)
    settings = common.load_settings(args, defaults={"mode": "live"})
    if args.write:
        return _write(settings, args.write)
    if args.trust:
        return _trust(settings, args.trust)
    from ..backends.live.iam.document import policy  # noqa: PLC0415 - what --help need not wait for

    common.say_json(policy(settings))
    return 0


def _write(settings: Settings, folder: Path) -> int:
    from ..backends.live.iam.document import documents  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents(settings).items():
        path = folder / f"{name}.json"
        path.write_text(_text(document), encoding="utf-8")
        common.say(str(path))
    return 0


def _trust(settings: Settings, subject: str) -> int:
    from ..backends.live.iam.document import trust_policy  # noqa: PLC0415

    if not subject.startswith("repo:") or subject.count(":") < 2 or "*" in subject:
        raise UsageError(
            f"{subject} is not the subject of one workflow",
            next="repo:OWNER/NAME:environment:live, or repo:OWNER/NAME:ref:refs/heads/main",
        )
    common.say_json(trust_policy(settings, subject))
    return 0


def _compare(records: list[Path]) -> int:
    from ..backends.live.iam.calls import checked_in_calls, differences, read_records  # noqa: PLC0415

    found = differences(checked_in_calls(), read_records(records))
    for line in found:
        common.say(line)
    return 1 if found else 0


def _refresh(records: list[Path]) -> int:
    from ..backends.live.iam import calls, document  # noqa: PLC0415

    found = calls.read_records(records) if records else calls.checked_in_calls()
    for line in calls.differences(calls.checked_in_calls(), found):
        common.say(line.replace("missing: ", "new: ").replace("superfluous: ", "gone: "))
    built = document.build_policies(found)
    home = Path(document.__file__).parent
    (home / calls.FILE).write_text(_text(found.to_json()), encoding="utf-8")
    (home / document.FILE).write_text(_text(built), encoding="utf-8")
    return 0


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
