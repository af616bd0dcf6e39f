"""emulation/core/browser.py"""

from __future__ import annotations

import pytest

from webordinary_testkit.emulation.core.browser import hostname, refusal

OWN = "127.0.0.1:4566"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": OWN},
        {"host": "localhost:4566"},
        {"host": "[::1]:4566"},
        {"host": "LOCALHOST"},
        {"host": "bucket.s3.localhost:4566"},
        {"host": "bucket.s3.us-west-2.amazonaws.com"},
        {"host": OWN, "origin": f"http://{OWN}"},
        {"host": "cloud:4566"},
        {"host": "site.test"},
        {"host": OWN, "sec-fetch-site": "none"},
        {"host": OWN, "sec-fetch-site": "same-origin", "origin": f"http://{OWN}"},
    ],
)
def test_clients_and_own_pages_pass(headers: dict[str, str]) -> None:
    assert refusal(headers) == ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "Host ''"),
        ({"host": "evil.example:4566"}, "Host 'evil.example:4566'"),
        ({"host": "localhost.evil.example"}, "is no name"),
        ({"host": "127.0.0.1.evil.example"}, "is no name"),
        ({"host": "amazonaws.com.evil.example"}, "is no name"),
        ({"host": "[::1"}, "is no name"),
        ({"host": OWN, "origin": "http://evil.example"}, "Origin"),
        ({"host": OWN, "origin": "null"}, "Origin"),
        ({"host": OWN, "origin": "http://127.0.0.1:8000"}, "Origin"),
        ({"host": OWN, "sec-fetch-site": "cross-site"}, "Sec-Fetch-Site"),
        ({"host": OWN, "sec-fetch-site": "same-site"}, "Sec-Fetch-Site"),
    ],
)
def test_foreign_pages_are_refused(headers: dict[str, str], reason: str) -> None:
    assert reason in refusal(headers)


LINK = {"host": OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        (LINK, True),
        ({**LINK, "origin": "http://evil.example"}, False),
        ({**LINK, "sec-fetch-dest": "iframe"}, False),
        ({**LINK, "sec-fetch-mode": "no-cors"}, False),
        ({**LINK, "host": "evil.example"}, False),
    ],
)
def test_only_a_link_may_be_followed_from_a_foreign_page(headers: dict[str, str], allowed: bool) -> None:
    assert (refusal(headers, navigation=True) == "") is allowed
    assert refusal(headers) != ""


def test_further_names_are_allowed_by_name() -> None:
    assert refusal({"host": "172.18.0.1:4566"}) != ""
    assert refusal({"host": "172.18.0.1:4566"}, names={"172.18.0.1"}) == ""


@pytest.mark.parametrize(
    ("host", "name"), [("A.b:1", "a.b"), ("[::1]:2", "::1"), ("x.", "x"), ("", ""), ("[", ""), ("a:b:c", "a")]
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert hostname(host) == name
