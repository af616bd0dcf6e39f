"""Addresses, and which of them a receipt rule's condition means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ses.addresses import bare, checked, covering, is_condition, matches


@pytest.mark.parametrize(
    ("condition", "address", "meant"),
    [
        ("user@example.com", "user@example.com", True),
        ("user@example.com", "User@EXAMPLE.com", True),
        ("user@example.com", "user+label@example.com", True),
        ("user@example.com", "user+a+b@example.com", True),
        ("user@example.com", "users@example.com", False),
        ("user@example.com", "user@sub.example.com", False),
        ("user+label@example.com", "user+label@example.com", True),
        ("user+label@example.com", "user@example.com", False),
        ("user+label@example.com", "user+other@example.com", False),
        ("example.com", "anyone@example.com", True),
        ("example.com", "anyone@sub.example.com", False),
        ("example.com", "anyone@notexample.com", False),
        (".example.com", "anyone@sub.example.com", True),
        (".example.com", "anyone@deep.sub.example.com", True),
        (".example.com", "anyone@example.com", False),
        ("xn--bcher-kva.example", "buch@bücher.example", True),
    ],
)
def test_a_condition_means_what_the_developer_guide_says(condition: str, address: str, meant: bool) -> None:
    assert matches(condition, address) is meant


@given(label=st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=20))
def test_an_address_condition_means_every_label_of_that_address(label: str) -> None:
    assert matches("edit@example.com", f"edit+{label}@example.com")


@pytest.mark.parametrize("text", ["example.com", ".example.com", "a@example.com", "a+b@sub.example.com", "x-y.test"])
def test_a_rule_may_name(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not valid",
        "example..com",
        "example.-com",
        "example-.com",
        "foo..example.com",
        "example.com-",
        "@a.b",
        "com",
    ],
)
def test_a_rule_may_not_name(text: str) -> None:
    assert not is_condition(text)


def test_an_address_is_covered_by_itself_its_domain_and_every_parent_domain() -> None:
    assert covering("a@clients.it.example.com") == [
        "a@clients.it.example.com",
        "clients.it.example.com",
        "it.example.com",
        "example.com",
    ]


@pytest.mark.parametrize("given", ["a@example.com", "Ann <a@example.com>", '"Doe, Ann" <a@example.com>'])
def test_a_sender_or_recipient_may_have_a_display_name(given: str) -> None:
    assert checked(given) == "a@example.com"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "Missing final '@domain'"),
        ("Ann", "Missing final '@domain'"),
        ("a@localhost", "Missing final '@domain'"),
        ("a@exa_mple.com", "Domain contains illegal character"),
        ("jürgen@example.com", "Local address contains non-ASCII characters"),
        ("a@example.com\r\nBcc: b@example.com", "Address contains control characters"),
    ],
)
def test_ses_refuses_an_address_it_cannot_use(given: str, reason: str) -> None:
    with pytest.raises(AwsError, match=reason):
        checked(given)


@pytest.mark.parametrize("name", ["Ødegård, Z.", 'Zoë "Z" Ødegård', '"a <x@y>"', ""])
def test_the_address_is_found_behind_any_decoded_name(name: str) -> None:
    assert bare(f"{name} <zoe@clients.example.com>") == "zoe@clients.example.com"
