"""Mail addresses, and the recipient conditions of receipt rules."""

from __future__ import annotations

import re
from email.utils import parseaddr

from ...core.errors import AwsError

_LOCAL = re.compile(r"[^\x00-\x20\x7f@]+")
_IN_BRACKETS = re.compile(r"<[^<>]*>\s*$")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def domain_of(address: str) -> str:
    """The domain of an address, lower-case, internationalised names in their ASCII (punycode) form."""
    return ascii_domain(address.rpartition("@")[2])


def ascii_domain(domain: str) -> str:
    domain = domain.lower().rstrip(".")
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return domain


def bare(address: str) -> str:
    """The address within `"Name" <address>`. The name may be decoded, so commas and quotes in it do not separate."""
    bracketed = _IN_BRACKETS.search(address)
    return parseaddr(bracketed[0] if bracketed else address)[1]


def is_domain(text: str) -> bool:
    """Whether `text` is a domain name of at least two labels, lower-case, in ASCII."""
    labels = text.split(".")
    return len(labels) > 1 and len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def is_condition(text: str) -> bool:
    """Whether this is a recipient condition: an address, a domain, or `.domain` for its subdomains."""
    local, at, domain = text.rpartition("@")
    if at:
        return bool(_LOCAL.fullmatch(local)) and is_domain(domain)
    return is_domain(text.removeprefix("."))


def matches(condition: str, address: str) -> bool:
    """Whether a recipient condition matches this address.

    `user@example.com` matches that address and `user+label@example.com`; `example.com` every address of that domain
    but none of its subdomains; `.example.com` every address of its subdomains, at any depth, but not of itself.
    """
    local, _, _ = address.rpartition("@")
    domain = domain_of(address)
    if condition.startswith("."):
        return domain.endswith(condition)
    wanted_local, at, wanted_domain = condition.rpartition("@")
    if wanted_domain != domain:
        return False
    local = local.lower()
    return not at or wanted_local in (local, local.partition("+")[0])


def covering(address: str) -> list[str]:
    """The identities that verify an address: itself, its domain, and every parent domain, nearest first."""
    labels = domain_of(address).split(".")
    return [address, *(".".join(labels[start:]) for start in range(len(labels) - 1))]


def checked(address: str) -> str:
    """The bare address of a sender or recipient. Raises SES's error for an invalid one."""
    plain = bare(address)
    local, _, domain = plain.rpartition("@")
    if "\r" in address or "\n" in address:
        raise _illegal("Address contains control characters")
    if not local or "." not in domain:
        raise _illegal("Missing final '@domain'")
    if not local.isascii():
        raise _illegal("Local address contains non-ASCII characters")
    if not _LOCAL.fullmatch(local):
        raise _illegal("Local address contains control or whitespace")
    if not is_domain(ascii_domain(domain)):
        raise _illegal("Domain contains illegal character")
    return plain


def _illegal(reason: str) -> AwsError:
    return AwsError("InvalidParameterValue", reason)
