"""Refuses requests that a foreign web page in this machine's browser could send.

A page of any site can post a form to a loopback port, and by DNS rebinding even read the answers. A browser marks the
former by `Origin` and `Sec-Fetch-Site`, the latter by the name in `Host`, which the page's owner controls in DNS.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "host.docker.internal"})
_UNREGISTRABLE = (".localhost", ".test", ".invalid", ".internal")
"""Reserved top-level domains: RFC 6761, and `internal` by ICANN in 2024."""
_AWS = (".amazonaws.com", ".amazonaws.com.cn")
"""Clients may come here by a proxy or resolver setting; the names under it are AWS's to give."""
_OWN_SITES = frozenset({"none", "same-origin"})


def refusal(headers: Mapping[str, str], names: Collection[str] = (), *, navigation: bool = False) -> str:
    """The reason to refuse a request as one of a foreign page; empty for any other.

    Header names are in lower case. `names` are further host names of this cloud. With `navigation`, a link on a
    foreign page may be followed: the browser shows the answer to its user and to no page.
    """
    host = headers.get("host", "")
    name = hostname(host)
    if not (name in _LOOPBACK_NAMES or name in names or _not_public(name)):
        return f"Host {host!r} is no name of this cloud. next: add it to emulated.hosts"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"Origin {origin!r} is not {host!r}: requests of foreign web pages are refused"
    site = headers.get("sec-fetch-site", "none")
    followed = (
        navigation and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
    if site not in _OWN_SITES and not (followed and origin is None):
        return f"Sec-Fetch-Site is {site!r}: requests of foreign web pages are refused"
    return ""


def hostname(host: str) -> str:
    """The name in a `Host` header, in lower case, without port and brackets; empty for a malformed one."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _not_public(name: str) -> bool:
    """Whether no one can make the public DNS resolve a name to an address of their choice."""
    return bool(name) and (("." not in name and ":" not in name) or name.endswith((*_UNREGISTRABLE, *_AWS)))
