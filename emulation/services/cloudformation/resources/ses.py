"""AWS::SES: receipt rules (SES's first API) and identities (its second)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import property_mapping
from .base import Job, ResourceType, deleting, retagging


async def create_rule_set(job: Job) -> None:
    name = job.name(64)
    await job.call("ses", "CreateReceiptRuleSet", RuleSetName=name)
    job.created(name)


def _named(job: Job, name: str) -> dict[str, Any]:
    return {**job.get("Rule"), "Name": name} if isinstance(job.get("Rule"), Mapping) else job.get("Rule")


async def create_rule(job: Job) -> None:
    rule = job.get("Rule")
    given = rule.get("Name") if isinstance(rule, Mapping) else None
    name = str(given) if given else job.generated_name(64)
    params = property_mapping.to_parameters("ses", "CreateReceiptRule", {"Rule": _named(job, name)})
    await job.send("ses", "CreateReceiptRule", omit="Rule", **params)
    job.created(name, RuleName=name)


async def update_rule(job: Job) -> None:
    if job.changed("Rule"):
        params = property_mapping.to_parameters("ses", "UpdateReceiptRule", {"Rule": _named(job, job.physical_id)})
        await job.call("ses", "UpdateReceiptRule", RuleSetName=job.text("RuleSetName"), **params)
    if job.changed("After"):
        await job.send("ses", "SetReceiptRulePosition", only="RuleSetName After", RuleName=job.physical_id)


async def delete_rule(job: Job) -> None:
    await job.call("ses", "DeleteReceiptRule", RuleSetName=job.text("RuleSetName"), RuleName=job.physical_id)


_IDENTITY_SETTINGS = {
    "ConfigurationSetAttributes": "PutEmailIdentityConfigurationSetAttributes",
    "DkimAttributes": "PutEmailIdentityDkimAttributes",
    "FeedbackAttributes": "PutEmailIdentityFeedbackAttributes",
    "MailFromAttributes": "PutEmailIdentityMailFromAttributes",
}


async def create_identity(job: Job) -> None:
    answer = await job.send("sesv2", "CreateEmailIdentity", omit=" ".join(_IDENTITY_SETTINGS))
    identity = job.text("EmailIdentity")
    job.created(identity, IdentityArn=job.arn("ses", f"identity/{identity}"))
    tokens = answer.get("DkimAttributes", {}).get("Tokens", [])
    for number in (1, 2, 3):
        token = tokens[number - 1] if len(tokens) >= number else ""
        job.attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}" if token else ""
        job.attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com" if token else ""
    await update_identity(job)


async def update_identity(job: Job) -> None:
    identity = job.physical_id
    for name, operation in _IDENTITY_SETTINGS.items():
        if job.changed(name):
            params = property_mapping.to_parameters("sesv2", operation, job.get(name, {}))
            await job.call("sesv2", operation, EmailIdentity=identity, **params)
    if job.before and job.changed("DkimSigningAttributes"):
        operation, attributes = "PutEmailIdentityDkimSigningAttributes", job.get("DkimSigningAttributes", {})
        params = property_mapping.to_parameters("sesv2", operation, {"SigningAttributes": attributes})
        origin = "EXTERNAL" if "DomainSigningPrivateKey" in params["SigningAttributes"] else "AWS_SES"
        await job.call("sesv2", operation, EmailIdentity=identity, SigningAttributesOrigin=origin, **params)


TYPES = (
    ResourceType(
        "AWS::SES::ReceiptRuleSet",
        properties="RuleSetName",
        create_only="RuleSetName",
        name_property="RuleSetName",
        create=create_rule_set,
        delete=deleting("ses", "DeleteReceiptRuleSet", "RuleSetName"),
    ),
    ResourceType(
        "AWS::SES::ReceiptRule",
        properties="After Rule RuleSetName",
        required="Rule RuleSetName",
        create_only="Rule.Name RuleSetName",
        attributes="RuleName",
        create=create_rule,
        update=update_rule,
        delete=delete_rule,
    ),
    ResourceType(
        "AWS::SES::EmailIdentity",
        properties=f"{' '.join(_IDENTITY_SETTINGS)} DkimSigningAttributes EmailIdentity Tags",
        required="EmailIdentity",
        create_only="EmailIdentity",
        attributes=(
            "DkimDNSTokenName1 DkimDNSTokenName2 DkimDNSTokenName3 DkimDNSTokenValue1 DkimDNSTokenValue2 "
            "DkimDNSTokenValue3"
        ),
        name_property="EmailIdentity",
        create=create_identity,
        update=update_identity,
        delete=deleting("sesv2", "DeleteEmailIdentity", "EmailIdentity"),
        retag=retagging("sesv2", by="IdentityArn"),
    ),
)
