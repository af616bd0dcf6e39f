"""`nox -s fidelity`: how many facts each cloud answers as AWS does.

nox -s fidelity                                  the emulated cloud beside moto's server
nox -s fidelity -- sqs sns --failed              two services, and each fact that failed
nox -s fidelity -- --endpoint http://…           another endpoint beside them
nox -s fidelity -- --aws                         the account of the environment's keys, alone; it leaves resources
nox -s fidelity -- --write                       the table into README.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

from . import facts, table, targets
from .perform import Target, difference

AT_ONCE = 8
"""Facts of one cloud; each uses names of its own."""


def main() -> int:
    options = _options()
    named = options.services or facts.services()
    known = {service: facts.load(service) for service in named}
    passed: dict[str, dict[str, int]] = {service: {} for service in named}
    unexpected = 0
    with ExitStack() as stack:
        for start in _targets(options):
            target = stack.enter_context(start)
            for service, differences in ((each, differing(known[each], target)) for each in named):
                passed[service][target.name] = differences.count("")
                for fact, seen in zip(known[service], differences, strict=True):
                    if seen and options.failed:
                        print(f"{target.name}: {fact.id}\n    {seen}")  # noqa: T201
                    unexpected += bool(seen) and not fact.open and target.name == "emulated"
    page = table.markdown({service: len(each) for service, each in known.items()}, passed)
    print(page)  # noqa: T201
    if options.write:
        table.write(page)
    return 1 if unexpected else 0


def differing(asked: Sequence[facts.Fact], target: Target) -> list[str]:
    """`difference` of each fact, in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda fact: difference(fact, target), asked))


def _targets(options: argparse.Namespace) -> list[AbstractContextManager[Target]]:
    if options.aws:
        return [targets.aws()]
    found = [targets.emulated(), targets.moto_server()]
    return [*found, targets.endpoint(options.endpoint)] if options.endpoint else found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s fidelity --", description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="a file of tests/fidelity/facts; all if none")
    parser.add_argument("--endpoint", metavar="URL", help="a further cloud")
    parser.add_argument("--aws", action="store_true", help="AWS alone")
    parser.add_argument("--failed", action="store_true", help="print each fact that a cloud does not answer as AWS")
    parser.add_argument("--write", action="store_true", help="write the table into README.md")
    return parser.parse_args()


_AsWritten = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    sys.exit(main())
