"""Identities: the addresses and domains an account sends from and receives for. All are verified immediately."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ....core.controller import Context
from ....core.errors import AwsError
from ..addresses import covering, is_domain

FEEDBACK = ("Bounce", "Complaint", "Delivery")
"""The types of notification about sent mail."""


@dataclass
class Identity:
    name: str
    """An address as given, or a domain in lower case."""
    created: datetime
    configuration_set: str | None = None
    forwarding: bool = True
    """Whether bounces and complaints without a topic are forwarded by mail."""
    topics: dict[str, str] = field(default_factory=dict)
    """Topic ARNs by notification type."""
    topics_with_headers: set[str] = field(default_factory=set)
    mail_from: str | None = None
    """A custom MAIL FROM domain, used in return paths."""
    on_mx_failure: str = "UseDefaultValue"
    signing: bool = True
    dkim_tokens: tuple[str, ...] = ()
    policies: dict[str, str] = field(default_factory=dict)

    @property
    def is_domain(self) -> bool:
        return "@" not in self.name

    def set_mail_from(self, domain: str | None) -> None:
        """Set or remove a custom MAIL FROM domain. Raises `InvalidParameterValue`."""
        parent = self.name.rpartition("@")[2]
        if domain and not domain.endswith(f".{parent}"):
            raise AwsError(
                "InvalidParameterValue",
                f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{parent}>.",
            )
        self.mail_from = domain or None


class Identities:
    """One store for both versions of the API."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._identities: dict[str, Identity] = {}

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._identities.values())

    @staticmethod
    def normalized(name: str) -> str:
        """An identity's name as SES stores it: domains in lower case, addresses as given."""
        return name if "@" in name else name.lower()

    def find(self, name: str) -> Identity | None:
        return self._identities.get(self.normalized(name))

    def verify(self, name: str) -> Identity:
        """Create an identity, or return the existing one. Raises `InvalidParameterValue` for an invalid name."""
        local, at, domain = name.rpartition("@")
        if (at and not local) or not is_domain(domain.lower()):
            raise AwsError("InvalidParameterValue", f"Invalid {'email address' if at else 'domain name'} {name}.")
        tokens = tuple(self._ctx.ids.alnum(32) for _ in range(3))
        identity = Identity(self.normalized(name), self._ctx.clock.utcnow(), dkim_tokens=tokens)
        return self._identities.setdefault(identity.name, identity)

    def remove(self, name: str) -> None:
        self._identities.pop(self.normalized(name), None)

    def verifying(self, address: str) -> Identity | None:
        """The identity that allows sending from this address: itself, its domain or a parent domain."""
        return next((found for name in covering(address) if (found := self.find(name))), None)

    def receives_for(self, address: str) -> bool:
        """Whether the address's domain or a parent of it is verified, as receiving requires."""
        return any(self.find(domain) for domain in covering(address)[1:])

    def check_sender(self, addresses: list[str], region: str) -> Identity:
        """The identity behind the first of these sender addresses. Raises `MessageRejected` naming those that fail."""
        found = [self.verifying(address) for address in addresses]
        failed = [address for address, identity in zip(addresses, found, strict=True) if identity is None]
        if failed or found[0] is None:
            raise AwsError(
                "MessageRejected",
                "Email address is not verified. The following identities failed the check in region "
                f"{region.upper()}: {', '.join(dict.fromkeys(failed))}",
            )
        return found[0]
