"""Looks up the mail hosts of a domain in the DNS."""

from __future__ import annotations

import dns.asyncresolver
import dns.exception
import dns.resolver

from ..core.errors import InfraError

_WITHIN = 4.0
"""Wall seconds."""


async def mail_hosts(domain: str, resolver: dns.asyncresolver.Resolver | None = None) -> list[tuple[int, str]]:
    """Preference and name of each MX record, lowest preference first; empty when there is none.

    Raises `InfraError` when no name server answers.
    """
    try:
        resolver = resolver or dns.asyncresolver.Resolver()
        answer = await resolver.resolve(domain, "MX", raise_on_no_answer=False, lifetime=_WITHIN)
    except dns.resolver.NXDOMAIN:
        return []
    except dns.exception.DNSException as error:
        raise InfraError(
            f"no name server answers for {domain}: {error}",
            next="look at /etc/resolv.conf, or try on another machine",
        ) from error
    return sorted((mx.preference, mx.exchange.to_text(omit_final_dot=True).lower()) for mx in answer.rrset or ())
