"""Identities: one store behind both versions of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.mailroom import Mailroom, mailroom
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ses.identities.store import Identities
from webordinary_testkit.emulation.time.clock import Clock


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom(verified=()) as room:
        yield room


def identities(*names: str) -> Identities:
    ctx: Any = SimpleNamespace(clock=Clock(), ids=Ids())
    store = Identities(ctx)
    for name in names:
        store.verify(name)
    return store


@pytest.mark.parametrize(
    ("identity", "address", "verified"),
    [
        ("example.com", "a@example.com", True),
        ("example.com", "a@mail.example.com", True),
        ("mail.example.com", "a@example.com", False),
        ("Ann@example.com", "Ann@example.com", True),
        ("Ann@example.com", "ann@example.com", False),
        ("ann@example.com", "ann+x@example.com", False),
    ],
)
def test_who_may_send(identity: str, address: str, verified: bool) -> None:
    assert (identities(identity).verifying(address) is not None) is verified


def test_an_address_of_its_own_comes_before_its_domain() -> None:
    found = identities("example.com", "a@example.com").verifying("a@example.com")

    assert found is not None
    assert found.name == "a@example.com"


@pytest.mark.parametrize(
    ("identity", "receives"), [("example.com", True), ("a@sub.example.com", False), ("other.com", False)]
)
def test_a_verified_domain_receives_for_its_subdomains(identity: str, receives: bool) -> None:
    assert identities(identity).receives_for("a@sub.example.com") is receives


async def test_what_version_1_verifies_version_2_sees_and_the_other_way_round(room: Mailroom) -> None:
    await room.boto("ses", lambda ses: ses.verify_domain_identity(Domain="One.example.com"))
    await room.boto("ses", lambda ses: ses.verify_email_identity(EmailAddress="ann@example.org"))
    await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="two.example.com"))

    listed = await room.boto("ses", lambda ses: ses.list_identities())
    domains = await room.boto("ses", lambda ses: ses.list_identities(IdentityType="Domain"))
    found = (await room.boto("sesv2", lambda ses: ses.list_email_identities()))["EmailIdentities"]
    status = await room.boto(
        "ses", lambda ses: ses.get_identity_verification_attributes(Identities=["two.example.com", "no.example"])
    )

    assert listed["Identities"] == ["one.example.com", "ann@example.org", "two.example.com"]
    assert domains["Identities"] == ["one.example.com", "two.example.com"]
    assert [(identity["IdentityName"], identity["IdentityType"]) for identity in found] == [
        ("one.example.com", "DOMAIN"),
        ("ann@example.org", "EMAIL_ADDRESS"),
        ("two.example.com", "DOMAIN"),
    ]
    assert status["VerificationAttributes"].keys() == {"two.example.com"}
    assert status["VerificationAttributes"]["two.example.com"]["VerificationStatus"] == "Success"


async def test_an_identity_is_described_verified_with_its_tags(room: Mailroom) -> None:
    tags = [{"Key": "stack", "Value": "it"}]
    created = await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="it.example.com", Tags=tags))
    described = await room.boto("sesv2", lambda ses: ses.get_email_identity(EmailIdentity="it.example.com"))

    assert created["VerifiedForSendingStatus"] is True
    assert len(created["DkimAttributes"]["Tokens"]) == 3
    assert described["VerificationStatus"] == "SUCCESS"
    assert described["Tags"] == tags


async def test_a_deleted_identity_is_unknown_to_both(room: Mailroom) -> None:
    await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="it.example.com"))

    await room.boto("ses", lambda ses: ses.delete_identity(Identity="it.example.com"))

    with pytest.raises(ClientError, match=r"NotFoundException.*it\.example\.com does not exist"):
        await room.boto("sesv2", lambda ses: ses.get_email_identity(EmailIdentity="it.example.com"))


async def test_an_identity_cannot_be_created_twice(room: Mailroom) -> None:
    await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="it.example.com"))

    with pytest.raises(ClientError, match="AlreadyExistsException"):
        await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="IT.example.com"))


@pytest.mark.parametrize("name", ["nonsense", "@example.com", "a@b", "exa mple.com"])
async def test_what_is_neither_address_nor_domain_is_refused(room: Mailroom, name: str) -> None:
    with pytest.raises(ClientError, match="BadRequestException"):
        await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity=name))


async def test_a_mail_from_domain_of_its_own_is_used_in_return_paths(room: Mailroom) -> None:
    await room.boto("sesv2", lambda ses: ses.create_email_identity(EmailIdentity="it.example.com"))
    with pytest.raises(ClientError, match="is not subdomain"):
        await room.boto(
            "ses",
            lambda ses: ses.set_identity_mail_from_domain(Identity="it.example.com", MailFromDomain="mail.other.org"),
        )
    await room.boto(
        "ses",
        lambda ses: ses.set_identity_mail_from_domain(Identity="it.example.com", MailFromDomain="mail.it.example.com"),
    )

    message = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "b"}}}
    await room.call(
        "ses", "SendEmail", Source="a@it.example.com", Destination={"ToAddresses": ["b@x.org"]}, Message=message
    )

    (mail,) = await room.sent()
    assert mail.return_path == f"{mail.id}@mail.it.example.com"


async def test_forwarding_cannot_be_ended_while_nobody_else_listens(room: Mailroom) -> None:
    await room.boto("ses", lambda ses: ses.verify_email_identity(EmailAddress="ann@example.org"))

    with pytest.raises(ClientError, match="InvalidParameterValue"):
        await room.boto(
            "ses",
            lambda ses: ses.set_identity_feedback_forwarding_enabled(
                Identity="ann@example.org", ForwardingEnabled=False
            ),
        )


async def test_policies_are_kept_by_name(room: Mailroom) -> None:
    await room.boto("ses", lambda ses: ses.verify_email_identity(EmailAddress="ann@example.org"))
    await room.boto("ses", lambda ses: ses.put_identity_policy(Identity="ann@example.org", PolicyName="p", Policy="{}"))

    policies = await room.boto("sesv2", lambda ses: ses.get_email_identity_policies(EmailIdentity="ann@example.org"))

    assert policies["Policies"] == {"p": "{}"}
