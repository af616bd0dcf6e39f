"""The identity operations of version 1 of the SES API (2010-12-01)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....core.controller import Call, Context
from ....core.errors import AwsError
from ....core.pagination import paginate
from ..addresses import bare
from .store import FEEDBACK, Identities, Identity

Answer = dict[str, Any]
INVALID_TOKEN = AwsError("InvalidParameterValue", "Invalid token")


class IdentityApi:
    def __init__(self, ctx: Context, identities: Identities) -> None:
        self._ctx = ctx
        self._identities = identities

    async def verify_email_identity(self, call: Call) -> Answer:
        self._identities.verify(bare(call.params["EmailAddress"]))
        return {}

    verify_email_address = verify_email_identity

    async def verify_domain_identity(self, call: Call) -> Answer:
        return {"VerificationToken": _token(self._identities.verify(call.params["Domain"]))}

    async def verify_domain_dkim(self, call: Call) -> Answer:
        return {"DkimTokens": list(self._identities.verify(call.params["Domain"]).dkim_tokens)}

    async def list_identities(self, call: Call) -> Answer:
        kind = call.params.get("IdentityType")
        names = [each.name for each in self._identities if kind is None or each.is_domain == (kind == "Domain")]
        size = call.params.get("MaxItems", 1000)
        return paginate(names, call.params.get("NextToken"), size, INVALID_TOKEN).answer("Identities")

    async def list_verified_email_addresses(self, call: Call) -> Answer:
        return {"VerifiedEmailAddresses": [identity.name for identity in self._identities if not identity.is_domain]}

    async def delete_identity(self, call: Call) -> Answer:
        self._identities.remove(call.params["Identity"])
        return {}

    async def delete_verified_email_address(self, call: Call) -> Answer:
        self._identities.remove(call.params["EmailAddress"])
        return {}

    async def get_identity_verification_attributes(self, call: Call) -> Answer:
        def describe(identity: Identity) -> Answer:
            token = {"VerificationToken": _token(identity)} if identity.is_domain else {}
            return {"VerificationStatus": "Success", **token}

        return self._attributes(call, "VerificationAttributes", describe)

    async def get_identity_dkim_attributes(self, call: Call) -> Answer:
        def describe(identity: Identity) -> Answer:
            return {
                "DkimEnabled": identity.signing,
                "DkimVerificationStatus": "Success" if identity.is_domain else "NotStarted",
                **({"DkimTokens": list(identity.dkim_tokens)} if identity.is_domain else {}),
            }

        return self._attributes(call, "DkimAttributes", describe)

    async def set_identity_dkim_enabled(self, call: Call) -> Answer:
        self._identity(call).signing = call.params["DkimEnabled"]
        return {}

    async def get_identity_mail_from_domain_attributes(self, call: Call) -> Answer:
        def describe(identity: Identity) -> Answer:
            return {
                "MailFromDomain": identity.mail_from or "",
                "MailFromDomainStatus": "Success",
                "BehaviorOnMXFailure": identity.on_mx_failure,
            }

        return self._attributes(call, "MailFromDomainAttributes", describe)

    async def set_identity_mail_from_domain(self, call: Call) -> Answer:
        identity = self._identity(call)
        identity.set_mail_from(call.params.get("MailFromDomain"))
        identity.on_mx_failure = call.params.get("BehaviorOnMXFailure", "UseDefaultValue")
        return {}

    async def get_identity_notification_attributes(self, call: Call) -> Answer:
        def describe(identity: Identity) -> Answer:
            headers = {
                f"HeadersIn{kind}NotificationsEnabled": kind in identity.topics_with_headers for kind in FEEDBACK
            }
            topics = {f"{kind}Topic": identity.topics.get(kind, "") for kind in FEEDBACK}
            return {**topics, "ForwardingEnabled": identity.forwarding, **headers}

        return self._attributes(call, "NotificationAttributes", describe)

    async def set_identity_notification_topic(self, call: Call) -> Answer:
        identity, kind, topic = self._identity(call), call.params["NotificationType"], call.params.get("SnsTopic")
        if not topic:
            identity.topics.pop(kind, None)
            return {}
        try:
            await self._ctx.aws.call("sns", "GetTopicAttributes", TopicArn=topic)
        except AwsError as error:
            raise AwsError("InvalidParameterValue", f"Invalid SNS topic <{topic}>.") from error
        identity.topics[kind] = topic
        return {}

    async def set_identity_feedback_forwarding_enabled(self, call: Call) -> Answer:
        identity = self._identity(call)
        enabled = call.params["ForwardingEnabled"]
        if not enabled and not {"Bounce", "Complaint"} <= identity.topics.keys():
            raise AwsError(
                "InvalidParameterValue",
                f"Identity <{identity.name}> does not have Bounce and Complaint topics; "
                "feedback forwarding cannot be disabled",
            )
        identity.forwarding = enabled
        return {}

    async def set_identity_headers_in_notifications_enabled(self, call: Call) -> Answer:
        kinds, kind = self._identity(call).topics_with_headers, call.params["NotificationType"]
        (kinds.add if call.params["Enabled"] else kinds.discard)(kind)
        return {}

    async def put_identity_policy(self, call: Call) -> Answer:
        self._identity(call).policies[call.params["PolicyName"]] = call.params["Policy"]
        return {}

    async def get_identity_policies(self, call: Call) -> Answer:
        policies = self._identity(call).policies
        return {"Policies": {name: policies[name] for name in call.params["PolicyNames"] if name in policies}}

    async def list_identity_policies(self, call: Call) -> Answer:
        return {"PolicyNames": list(self._identity(call).policies)}

    async def delete_identity_policy(self, call: Call) -> Answer:
        self._identity(call).policies.pop(call.params["PolicyName"], None)
        return {}

    def _attributes(self, call: Call, key: str, describe: Callable[[Identity], Answer]) -> Answer:
        """The attributes of every identity requested that exists."""
        found = {name: self._identities.find(name) for name in call.params["Identities"]}
        return {key: {name: describe(identity) for name, identity in found.items() if identity}}

    def _identity(self, call: Call) -> Identity:
        name = call.params["Identity"]
        identity = self._identities.find(name)
        if identity is None:
            raise AwsError("InvalidParameterValue", f"Identity <{name}> does not exist.")
        return identity


def _token(identity: Identity) -> str:
    return identity.dkim_tokens[0] + "="
