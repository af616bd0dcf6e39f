"""The guard: checks every changing call to a real account before it is made, and refuses foreign resources.

    Aws / any boto3 client --(service, operation, params)--> Guard.check --> AWS
                                                                \\--> Refused

The run owns the stack that carries the kit's tags, that stack's resources, and the open entries of the run's ledger.
Everything else is foreign.
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
"""A task definition's ARN with its family, from which faults register other revisions."""
_ARN = re.compile(r"^arn:[a-z-]+:[a-z0-9-]*:[a-z0-9-]*:(\d{12}|):")


_KNOWN = tuple(Production.model_validate(each["production"]) for each in PROFILES.values() if "production" in each)
"""Production systems that the kit protects under every profile."""


class Refused(UsageError):
    """The guard refused the call. Nothing was changed."""

    definite = True


class Guard:
    """Checks calls; thread-safe. A new guard permits reads only."""

    def __init__(self, account: str, stack: str, production: Production) -> None:
        """`account` is the expected account, `stack` the name of the only stack that may be changed. The names of
        `production` are protected in addition to those of the profiles."""
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

    # ---- What the run owns
    def verify_account(self, identity: Mapping[str, Any]) -> None:
        """Takes GetCallerIdentity's answer. Raises `Refused` when the credentials belong to another account."""
        if identity["Account"] != self.account:
            raise Refused(
                f"these credentials belong to account {identity['Account']}, and the settings expect {self.account}",
                where=str(identity.get("Arn", "")),
                next=f'use other credentials (aws_profile); if that is the one: account = "{identity["Account"]}"',
            )
        self._verified = True

    def adopt(self, stack: Mapping[str, Any] | None) -> None:
        """Takes DescribeStacks' answer about the stack, None when it does not exist yet.

        Raises `Refused` for a stack without the kit's tags: it is foreign, whatever its name.
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
        """Permits changes to these names, ids or ARNs: they are the run's."""
        with self._lock:
            self._owned.update(filter(None, names))
            self._owned.update(_last(name) for name in names if name.startswith("arn:"))
            self._owned.update(part for name in names if "|" in name for part in name.split("|") if "/" in part)

    def own_domains(self, *domains: str) -> None:
        """Permits mail from and to these domains."""
        self._domains.update(domain.lower() for domain in domains if domain)

    def trust(self, holds: Callable[[str], bool]) -> None:
        """Permits changes to the open entries of the run's ledger."""
        self._ledger = holds

    def refuse_production(self, names: Iterable[str]) -> None:
        """Raises `Refused` when one of these names, which a call would use, is production's."""
        for name in names:
            for part in (name, *_SEPARATORS.split(name)):
                if part in self._production:
                    raise Refused(
                        f"{part} is a name of the production system",
                        where="settings: production",
                        next="give the stack other names: stack.parameters.ResourcePrefix",
                    )

    # ---- Checks
    def check(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Raises `Refused` for a call that could change a foreign resource. Reads pass."""
        if operation.startswith(rules.READS):
            return
        call = f"{service}.{operation}"
        if call in rules.NEVER:
            raise Refused(f"{call} is never called: {rules.NEVER[call]}")
        if not self._verified:
            raise Refused(f"{call} before the account is verified", next="report it: this is a bug in the kit")
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
                        f"{call}: {address or 'no address'} is in no mail domain of the stack",
                        where=f"parameter {name}",
                    )
        given = tuple(name for name in rules.WHEN_GIVEN.get(call, ()) if name in params)
        for name, value in rules.named(params, (*rules.TOUCHES.get(call, ()), *given)):
            known = True
            if not self._is_ours(value):
                raise Refused(
                    f"{call}: {value or 'no value'} is not this run's",
                    where=f"parameter {name}, stack {self.stack}",
                )
        if not known:
            raise Refused(
                f"{call} changes resources, but no rule names its parameters",
                where="kit/backends/live/rules.py",
                next="add it there, with the parameters that name what it changes",
            )

    def _is_ours(self, value: str) -> bool:
        if value == self.stack:
            return self._stack_known
        if not value:
            return False
        with self._lock:
            if value in self._owned:
                return True
            # A task's ARN names its cluster.
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
                f"{call} would create a resource without the kit's tags: "
                f"{', '.join([tags.MARKER] if given.get(tags.MARKER) != self.stack else missing)}",
                next="pass kit.backends.live.tags.tags(…)",
            )


def _last(arn: str) -> str:
    """The name in an ARN."""
    revision = _REVISION.search(arn)
    return revision[1] if revision else _SEPARATORS.split(arn)[-1]
