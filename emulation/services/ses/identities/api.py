"""The identity operations of the SES API, version 1 (2010-12-01)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....core.controller import Call, Context, Handler, Operation
from ....core.errors import AwsError
from ..addresses import bare, is_domain
from .store import Identities, Identity

Answer = dict[str, Any]


class IdentityApi:
    def __init__(self, ctx: Context, identities: Identities) -> None:
        self._ctx = ctx
        self._identities = identities

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ses", "VerifyEmailIdentity"): self._verify_address,
            ("ses", "VerifyEmailAddress"): self._verify_address,
            ("ses", "VerifyDomainIdentity"): self._verify_domain,
            ("ses", "VerifyDomainDkim"): self._verify_dkim,
            ("ses", "ListIdentities"): self._list,
            ("ses", "ListVerifiedEmailAddresses"): self._list_addresses,
            ("ses", "DeleteIdentity"): self._delete,
            ("ses", "DeleteVerifiedEmailAddress"): self._delete_address,
            ("ses", "GetIdentityVerificationAttributes"): self._verification,
            ("ses", "GetIdentityDkimAttributes"): self._dkim,
            ("ses", "SetIdentityDkimEnabled"): self._enable_dkim,
            ("ses", "GetIdentityMailFromDomainAttributes"): self._mail_from,
            ("ses", "SetIdentityMailFromDomain"): self._set_mail_from,
            ("ses", "GetIdentityNotificationAttributes"): self._notifications,
            ("ses", "SetIdentityNotificationTopic"): self._set_topic,
            ("ses", "SetIdentityFeedbackForwardingEnabled"): self._set_forwarding,
            ("ses", "SetIdentityHeadersInNotificationsEnabled"): self._set_headers,
            ("ses", "PutIdentityPolicy"): self._put_policy,
            ("ses", "GetIdentityPolicies"): self._policies,
            ("ses", "ListIdentityPolicies"): self._list_policies,
            ("ses", "DeleteIdentityPolicy"): self._delete_policy,
        }

    async def _verify_address(self, call: Call) -> Answer:
        add(self._ctx, self._identities, bare(call.params["EmailAddress"]))
        return {}

    async def _verify_domain(self, call: Call) -> Answer:
        identity = add(self._ctx, self._identities, call.params["Domain"])
        return {"VerificationToken": _token(identity)}

    async def _verify_dkim(self, call: Call) -> Answer:
        return {"DkimTokens": list(add(self._ctx, self._identities, call.params["Domain"]).dkim_tokens)}

    async def _list(self, call: Call) -> Answer:
        kind = call.params.get("IdentityType")
        names = [
            identity.name for identity in self._identities if kind is None or identity.is_domain == (kind == "Domain")
        ]
        start = int(call.params.get("NextToken", 0))
        end = start + call.params.get("MaxItems", 1000)
        return {"Identities": names[start:end], **({"NextToken": str(end)} if end < len(names) else {})}

    async def _list_addresses(self, call: Call) -> Answer:
        return {"VerifiedEmailAddresses": [identity.name for identity in self._identities if not identity.is_domain]}

    async def _delete(self, call: Call) -> Answer:
        self._identities.remove(call.params["Identity"])
        return {}

    async def _delete_address(self, call: Call) -> Answer:
        self._identities.remove(call.params["EmailAddress"])
        return {}

    async def _verification(self, call: Call) -> Answer:
        attributes = {
            name: {"VerificationStatus": "Success", **({"VerificationToken": _token(found)} if found.is_domain else {})}
            for name, found in self._known(call.params["Identities"])
        }
        return {"VerificationAttributes": attributes}

    async def _dkim(self, call: Call) -> Answer:
        attributes = {
            name: {
                "DkimEnabled": found.signing,
                "DkimVerificationStatus": "Success" if found.is_domain else "NotStarted",
                **({"DkimTokens": list(found.dkim_tokens)} if found.is_domain else {}),
            }
            for name, found in self._known(call.params["Identities"])
        }
        return {"DkimAttributes": attributes}

    async def _enable_dkim(self, call: Call) -> Answer:
        self._get(call).signing = call.params["DkimEnabled"]
        return {}

    async def _mail_from(self, call: Call) -> Answer:
        attributes = {
            name: {
                "MailFromDomain": found.mail_from or "",
                "MailFromDomainStatus": "Success",
                "BehaviorOnMXFailure": found.on_mx_failure,
            }
            for name, found in self._known(call.params["Identities"])
        }
        return {"MailFromDomainAttributes": attributes}

    async def _set_mail_from(self, call: Call) -> Answer:
        identity = self._get(call)
        set_mail_from(identity, call.params.get("MailFromDomain"))
        identity.on_mx_failure = call.params.get("BehaviorOnMXFailure", "UseDefaultValue")
        return {}

    async def _notifications(self, call: Call) -> Answer:
        attributes = {
            name: {
                **{f"{kind}Topic": found.topics.get(kind, "") for kind in ("Bounce", "Complaint", "Delivery")},
                "ForwardingEnabled": found.forwarding,
                **{
                    f"HeadersIn{kind}NotificationsEnabled": kind in found.topics_with_headers
                    for kind in ("Bounce", "Complaint", "Delivery")
                },
            }
            for name, found in self._known(call.params["Identities"])
        }
        return {"NotificationAttributes": attributes}

    async def _set_topic(self, call: Call) -> Answer:
        identity, kind, topic = self._get(call), call.params["NotificationType"], call.params.get("SnsTopic")
        if not topic:
            identity.topics.pop(kind, None)
            return {}
        try:
            await self._ctx.aws.call("sns", "GetTopicAttributes", TopicArn=topic)
        except AwsError as error:
            raise AwsError("InvalidParameterValue", f"Invalid SNS topic <{topic}>.") from error
        identity.topics[kind] = topic
        return {}

    async def _set_forwarding(self, call: Call) -> Answer:
        identity = self._get(call)
        enabled = call.params["ForwardingEnabled"]
        if not enabled and not {"Bounce", "Complaint"} <= identity.topics.keys():
            raise AwsError(
                "InvalidParameterValue",
                f"Identity <{identity.name}> does not have Bounce and Complaint topics; "
                "feedback forwarding cannot be disabled",
            )
        identity.forwarding = enabled
        return {}

    async def _set_headers(self, call: Call) -> Answer:
        identity, kind = self._get(call), call.params["NotificationType"]
        (identity.topics_with_headers.add if call.params["Enabled"] else identity.topics_with_headers.discard)(kind)
        return {}

    async def _put_policy(self, call: Call) -> Answer:
        self._get(call).policies[call.params["PolicyName"]] = call.params["Policy"]
        return {}

    async def _policies(self, call: Call) -> Answer:
        policies = self._get(call).policies
        return {"Policies": {name: policies[name] for name in call.params["PolicyNames"] if name in policies}}

    async def _list_policies(self, call: Call) -> Answer:
        return {"PolicyNames": list(self._get(call).policies)}

    async def _delete_policy(self, call: Call) -> Answer:
        self._get(call).policies.pop(call.params["PolicyName"], None)
        return {}

    def _known(self, names: Iterable[str]) -> Iterable[tuple[str, Identity]]:
        return [(name, found) for name in names if (found := self._identities.find(name))]

    def _get(self, call: Call) -> Identity:
        name = call.params["Identity"]
        found = self._identities.find(name)
        if found is None:
            raise AwsError("InvalidParameterValue", f"Identity <{name}> does not exist.")
        return found


def add(ctx: Context, identities: Identities, name: str) -> Identity:
    """Make an identity, or find it. Raises `InvalidParameterValue` for what is neither address nor domain."""
    local, at, domain = name.rpartition("@")
    if (at and not local) or not is_domain(domain.lower()):
        raise AwsError("InvalidParameterValue", f"Invalid {'email address' if at else 'domain name'} {name}.")
    tokens = tuple(ctx.ids.alnum(32) for _ in range(3))
    return identities.add(Identity(identities.spelled(name), ctx.clock.utcnow(), dkim_tokens=tokens))


def set_mail_from(identity: Identity, domain: str | None) -> None:
    """Use a MAIL FROM domain of the account's own, or SES's again. Raises `InvalidParameterValue`."""
    parent = identity.name.rpartition("@")[2]
    if domain and not domain.endswith(f".{parent}"):
        raise AwsError(
            "InvalidParameterValue",
            f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{parent}>.",
        )
    identity.mail_from = domain or None


def _token(identity: Identity) -> str:
    return identity.dkim_tokens[0] + "="
