"""Refuses what a web page in this machine's browser could send: foreign hosts, origins and sites.

A page of any site can post a form to a loopback port, and by DNS rebinding even read the answers. A browser marks both:
the first by `Origin` and `Sec-Fetch-Site`, the second by the `Host` it was rebound from.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})
LOOPBACK_DOMAINS = (".localhost",)
AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")
"""A client may be pointed here by its proxy or resolver settings, under AWS's own names."""
_OWN_SITES = frozenset({"none", "same-origin"})


def refusal(headers: Mapping[str, str], names: Collection[str] = (), domains: Collection[str] = ()) -> str:
    """Why a request may come from a foreign page; empty for one that does not.

    Header names are lower case. `names` and `domains` (with their leading dot) are hosts allowed beside loopback.
    """
    host = headers.get("host", "")
    name = hostname(host)
    known = name in LOOPBACK_NAMES or name in names or name.endswith((*LOOPBACK_DOMAINS, *domains))
    if not known:
        return f"Host {host!r} is not an address of this cloud"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"Origin {origin!r} is not {host!r}: requests of web pages are refused"
    site = headers.get("sec-fetch-site", "none")
    if site not in _OWN_SITES:
        return f"Sec-Fetch-Site is {site!r}: requests of other sites' web pages are refused"
    return ""


def hostname(host: str) -> str:
    """The name in a `Host` header, in lower case, without port and brackets; empty for a malformed one."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
