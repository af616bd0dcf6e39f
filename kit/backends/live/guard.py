"""The guard: every call that changes something in a real account passes here, and is made or refused.

    Aws / any boto3 client --(service, operation, params)--> Guard.check --> AWS
                                                                \\--> Refused

It knows what is the run's: the stack that carries the kit's tags, that stack's resources, and what stands open in
the run's ledger. Everything else is somebody else's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...core.errors import UsageError
from ...settings import Production
from ...settings.profiles import PROFILES
from . import rules, tags

_SEPARATORS = re.compile(r"[/:|]")
_REVISION = re.compile(r":task-definition/([^:/]+):\d+$")
"""A task definition's ARN, and the family in it: what is made of it are other revisions."""
_ARN = re.compile(r"^arn:[a-z-]+:[a-z0-9-]*:[a-z0-9-]*:(\d{12}|):")


_KNOWN = tuple(Production.model_validate(each["production"]) for each in PROFILES.values() if "production" in each)
"""Production systems that the kit knows, whichever profile a run has."""


class Refused(UsageError):
    """The guard did not let it happen. Nothing was changed."""

    definite = True


class Guard:
    """Judges calls; safe under threads. A guard that has been told nothing lets no change through."""

    def __init__(self, account: str, stack: str, production: Production) -> None:
        """`account` is the one expected, `stack` the name of the only stack that may be touched. To the names of
        `production` come those of the production systems that the kit knows itself."""
        self.account = account
        self.stack = stack
        systems = (production, *_KNOWN)
        self._production = frozenset(
            filter(None, (name for each in systems for name in (each.cluster, *each.services, each.sessions_table)))
        )
        self._verified = False
        self._stack_known = False
        self._owned: set[str] = set()
        self._domains: set[str] = set()
        self._ledger: Callable[[str], bool] = lambda _: False
        self._lock = threading.Lock()

    # ---- What it is told
    def verify_account(self, identity: Mapping[str, Any]) -> None:
        """Take GetCallerIdentity's answer. Raises `Refused` when the credentials are another account's."""
        if identity["Account"] != self.account:
            raise Refused(
                f"these credentials belong to account {identity['Account']}, and the settings expect {self.account}",
                where=str(identity.get("Arn", "")),
                next=f'use other credentials (aws_profile); if that is the one: account = "{identity["Account"]}"',
            )
        self._verified = True

    def adopt(self, stack: Mapping[str, Any] | None) -> None:
        """Take DescribeStacks' answer about the stack, None when there is none yet.

        Raises `Refused` for a stack without the kit's tags: it is somebody else's, whatever its name.
        """
        if stack is not None:
            found = tags.from_list(stack.get("Tags")).get(tags.MARKER)
            if found != self.stack:
                raise Refused(
                    f"stack {stack['StackName']} is not the kit's: tag {tags.MARKER} is {found or 'absent'}, "
                    f"expected {self.stack}",
                    where=str(stack.get("StackId", "")),
                    next="choose another name: --set stack.name=…; the kit leaves this one alone",
                )
            self.own(stack["StackName"], stack["StackId"])
        self._stack_known = True

    def own(self, *names: str) -> None:
        """These names, ids or ARNs are the run's: resources of its stack."""
        with self._lock:
            self._owned.update(filter(None, names))
            self._owned.update(_last(name) for name in names if name.startswith("arn:"))
            self._owned.update(part for name in names if "|" in name for part in name.split("|") if "/" in part)

    def own_domains(self, *domains: str) -> None:
        """Mail may go from and to these domains."""
        self._domains.update(domain.lower() for domain in domains if domain)

    def trust(self, holds: Callable[[str], bool]) -> None:
        """Take the run's ledger: what stands open in it is the run's."""
        self._ledger = holds

    def refuse_production(self, names: Iterable[str]) -> None:
        """Raises `Refused` when one of these names, which a deployment would use, is production's."""
        for name in names:
            for part in (name, *_SEPARATORS.split(name)):
                if part in self._production:
                    raise Refused(
                        f"{part} is a name of the production system",
                        where="settings: production",
                        next="give the stack names of its own: stack.parameters.ResourcePrefix",
                    )

    # ---- What it judges
    def check(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Raises `Refused` for a call that could touch what is not the run's. Looks pass."""
        if operation.startswith(rules.READS):
            return
        call = f"{service}.{operation}"
        if call in rules.NEVER:
            raise Refused(f"{call} is never called: {rules.NEVER[call]}")
        if not self._verified:
            raise Refused(f"{call} before anybody knows which account this is", next="that is a fault of the kit")
        self.refuse_production(rules.texts(params))
        self._refuse_other_accounts(call, params)
        known = False
        if call in rules.TAGGED:
            known = True
            self._refuse_untagged(call, params)
        if call in rules.MAILS:
            known = True
            for name, address in rules.named(params, rules.MAILS[call]):
                if address.rpartition("@")[2].rstrip(">").lower() not in self._domains:
                    raise Refused(
                        f"{call}: {address or 'nobody'} is in no mail domain of the stack", where=f"parameter {name}"
                    )
        given = tuple(name for name in rules.WHEN_GIVEN.get(call, ()) if name in params)
        for name, value in rules.named(params, (*rules.TOUCHES.get(call, ()), *given)):
            known = True
            if not self._is_ours(value):
                raise Refused(
                    f"{call}: {value or 'nothing'} is not this run's", where=f"parameter {name}, stack {self.stack}"
                )
        if not known:
            raise Refused(
                f"{call} changes something, and nobody has said what",
                where="kit/backends/live/rules.py",
                next="add it there, with the parameters that name what it touches",
            )

    def _is_ours(self, value: str) -> bool:
        if value == self.stack:
            return self._stack_known
        if not value:
            return False
        with self._lock:
            if value in self._owned:
                return True
            # A task's ARN names the cluster it runs in.
            parts = _SEPARATORS.split(value)
            if value.startswith("arn:") and len(parts) > 7 and parts[5] == "task" and parts[6] in self._owned:
                return True
        return self._ledger(value)

    def _refuse_other_accounts(self, call: str, params: Mapping[str, Any]) -> None:
        for text in rules.texts(params):
            found = _ARN.match(text)
            if found and found[1] not in ("", self.account):
                raise Refused(f"{call}: {text} is in account {found[1]}, and this run's is {self.account}")

    def _refuse_untagged(self, call: str, params: Mapping[str, Any]) -> None:
        given = tags.from_list(params.get("Tags") or params.get("tags"))
        missing = [name for name in (tags.RUN, tags.EXPIRES) if not given.get(name)]
        if given.get(tags.MARKER) != self.stack or missing:
            raise Refused(
                f"{call} would create something without the kit's tags: "
                f"{', '.join([tags.MARKER] if given.get(tags.MARKER) != self.stack else missing)}",
                next="pass kit.live.tags.tags(…)",
            )


def _last(arn: str) -> str:
    """The name in an ARN."""
    revision = _REVISION.search(arn)
    return revision[1] if revision else _SEPARATORS.split(arn)[-1]
