"""AWS::SES: receipt rules (SES's first API) and identities (its second)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import shapes
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging


async def create_rule_set(work: Work) -> None:
    name = work.name(64)
    await work.call("ses", "CreateReceiptRuleSet", RuleSetName=name)
    work.made(name)


async def delete_rule_set(work: Work) -> None:
    await work.call("ses", "DeleteReceiptRuleSet", RuleSetName=work.physical_id)


def _named(work: Work, name: str) -> dict[str, Any]:
    return {**work.get("Rule"), "Name": name} if isinstance(work.get("Rule"), Mapping) else work.get("Rule")


async def create_rule(work: Work) -> None:
    rule = work.get("Rule")
    given = rule.get("Name") if isinstance(rule, Mapping) else None
    name = str(given) if given else physical_name(work.stack_name, work.logical_id, work.ctx.ids, 64)
    params = work.params("ses", "CreateReceiptRule", leave="Rule")
    params |= shapes.parameters("ses", "CreateReceiptRule", {"Rule": _named(work, name)})
    await work.call("ses", "CreateReceiptRule", **params)
    work.made(name, RuleName=name)


async def update_rule(work: Work) -> None:
    if work.changed("Rule"):
        params = shapes.parameters("ses", "UpdateReceiptRule", {"Rule": _named(work, work.physical_id)})
        await work.call("ses", "UpdateReceiptRule", RuleSetName=work.text("RuleSetName"), **params)
    if work.changed("After"):
        position = work.params("ses", "SetReceiptRulePosition", only="RuleSetName After")
        await work.call("ses", "SetReceiptRulePosition", RuleName=work.physical_id, **position)


async def delete_rule(work: Work) -> None:
    await work.call("ses", "DeleteReceiptRule", RuleSetName=work.text("RuleSetName"), RuleName=work.physical_id)


_IDENTITY_SETTINGS = {
    "ConfigurationSetAttributes": "PutEmailIdentityConfigurationSetAttributes",
    "DkimAttributes": "PutEmailIdentityDkimAttributes",
    "FeedbackAttributes": "PutEmailIdentityFeedbackAttributes",
    "MailFromAttributes": "PutEmailIdentityMailFromAttributes",
}


async def create_identity(work: Work) -> None:
    params = work.params("sesv2", "CreateEmailIdentity", leave=" ".join(_IDENTITY_SETTINGS))
    answer = await work.call("sesv2", "CreateEmailIdentity", **params)
    identity = work.text("EmailIdentity")
    arn = f"arn:aws:ses:{work.ctx.region}:{work.ctx.account}:identity/{identity}"
    work.made(identity, IdentityArn=arn)
    tokens = answer.get("DkimAttributes", {}).get("Tokens", [])
    for number in (1, 2, 3):
        token = tokens[number - 1] if len(tokens) >= number else ""
        work.attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}" if token else ""
        work.attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com" if token else ""
    await update_identity(work)


async def update_identity(work: Work) -> None:
    identity = work.physical_id
    for name, operation in _IDENTITY_SETTINGS.items():
        if work.changed(name):
            params = shapes.parameters("sesv2", operation, work.get(name, {}))
            await work.call("sesv2", operation, EmailIdentity=identity, **params)
    if work.before and work.changed("DkimSigningAttributes"):
        params = shapes.parameters(
            "sesv2",
            "PutEmailIdentityDkimSigningAttributes",
            {"SigningAttributes": work.get("DkimSigningAttributes", {})},
        )
        own_key = "DomainSigningPrivateKey" in params["SigningAttributes"]
        await work.call(
            "sesv2",
            "PutEmailIdentityDkimSigningAttributes",
            EmailIdentity=identity,
            SigningAttributesOrigin="EXTERNAL" if own_key else "AWS_SES",
            **params,
        )


async def delete_identity(work: Work) -> None:
    await work.call("sesv2", "DeleteEmailIdentity", EmailIdentity=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::SES::ReceiptRuleSet",
        properties=words("RuleSetName"),
        replacing=words("RuleSetName"),
        named="RuleSetName",
        create=create_rule_set,
        delete=delete_rule_set,
    ),
    ResourceType(
        "AWS::SES::ReceiptRule",
        properties=words("After Rule RuleSetName"),
        required=words("Rule RuleSetName"),
        replacing=words("Rule.Name RuleSetName"),
        attributes=words("RuleName"),
        create=create_rule,
        update=update_rule,
        delete=delete_rule,
    ),
    ResourceType(
        "AWS::SES::EmailIdentity",
        properties=words(f"{' '.join(_IDENTITY_SETTINGS)} DkimSigningAttributes EmailIdentity Tags"),
        required=words("EmailIdentity"),
        replacing=words("EmailIdentity"),
        attributes=words(
            "DkimDNSTokenName1 DkimDNSTokenName2 DkimDNSTokenName3 DkimDNSTokenValue1 DkimDNSTokenValue2 "
            "DkimDNSTokenValue3"
        ),
        named="EmailIdentity",
        create=create_identity,
        update=update_identity,
        delete=delete_identity,
        retag=tagging("sesv2", "TagResource", "UntagResource", "ResourceArn", by="IdentityArn"),
    ),
)
