"""The addresses and domains an account may send from and receive for. Emulated, every one is verified at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ....core.errors import AwsError
from ..addresses import covering


@dataclass
class Identity:
    name: str
    """An address as given, or a domain in lower case."""
    created: datetime
    configuration_set: str | None = None
    forwarding: bool = True
    """Whether bounces and complaints are forwarded by mail where no topic takes them."""
    topics: dict[str, str] = field(default_factory=dict)
    """Of "Bounce", "Complaint" and "Delivery": the topic's ARN."""
    topics_with_headers: set[str] = field(default_factory=set)
    mail_from: str | None = None
    """A MAIL FROM domain of the account's own, used in return paths."""
    on_mx_failure: str = "UseDefaultValue"
    signing: bool = True
    dkim_tokens: tuple[str, ...] = ()
    policies: dict[str, str] = field(default_factory=dict)

    @property
    def is_domain(self) -> bool:
        return "@" not in self.name


class Identities:
    """One store for both versions of the API."""

    def __init__(self) -> None:
        self._identities: dict[str, Identity] = {}

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._identities.values())

    @staticmethod
    def spelled(name: str) -> str:
        """An identity's name as SES keeps it: domains in lower case, addresses as given."""
        return name if "@" in name else name.lower()

    def find(self, name: str) -> Identity | None:
        return self._identities.get(self.spelled(name))

    def add(self, identity: Identity) -> Identity:
        """Keep it, or return the one that is there already."""
        return self._identities.setdefault(identity.name, identity)

    def remove(self, name: str) -> None:
        self._identities.pop(self.spelled(name), None)

    def verifying(self, address: str) -> Identity | None:
        """The identity that lets this address be sent from: itself, its domain or a parent domain."""
        return next((found for name in covering(address) if (found := self.find(name))), None)

    def receives_for(self, address: str) -> bool:
        """Whether the address's domain, or a parent of it, is verified: mail for others is nobody's here."""
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
