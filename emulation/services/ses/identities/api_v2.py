"""The identity operations of version 2 of the SES API (2019-09-27)."""

from __future__ import annotations

from typing import Any

from ....core.controller import Call, Context
from ....core.errors import AwsError
from ....core.pagination import paginate
from .api import INVALID_TOKEN
from .store import Identities, Identity

Answer = dict[str, Any]
_ON_MX_FAILURE = {"UseDefaultValue": "USE_DEFAULT_VALUE", "RejectMessage": "REJECT_MESSAGE"}


class IdentityApiV2:
    def __init__(self, ctx: Context, identities: Identities) -> None:
        self._ctx = ctx
        self._identities = identities

    async def create_email_identity(self, call: Call) -> Answer:
        name = call.params["EmailIdentity"]
        if self._identities.find(name) is not None:
            raise AwsError("AlreadyExistsException", f"Email identity {name} already exist.")
        identity = self._identities.verify(name)
        identity.configuration_set = call.params.get("ConfigurationSetName")
        if tags := call.params.get("Tags"):
            await self._ctx.aws.call("sesv2", "TagResource", ResourceArn=self._arn(identity), Tags=list(tags))
        return {
            "IdentityType": _kind(identity),
            "VerifiedForSendingStatus": True,
            "DkimAttributes": _dkim(identity),
        }

    async def get_email_identity(self, call: Call) -> Answer:
        identity = self._identity(call)
        tags = await self._ctx.aws.call("sesv2", "ListTagsForResource", ResourceArn=self._arn(identity))
        answer: Answer = {
            "IdentityType": _kind(identity),
            "FeedbackForwardingStatus": identity.forwarding,
            "VerifiedForSendingStatus": True,
            "DkimAttributes": _dkim(identity),
            "MailFromAttributes": {
                "MailFromDomain": identity.mail_from or "",
                "MailFromDomainStatus": "SUCCESS",
                "BehaviorOnMxFailure": _ON_MX_FAILURE[identity.on_mx_failure],
            },
            "Policies": dict(identity.policies),
            "Tags": tags.get("Tags", []),
            "VerificationStatus": "SUCCESS",
            "VerificationInfo": dict.fromkeys(("LastCheckedTimestamp", "LastSuccessTimestamp"), identity.created),
        }
        if identity.configuration_set is not None:
            answer["ConfigurationSetName"] = identity.configuration_set
        return answer

    async def list_email_identities(self, call: Call) -> Answer:
        described = [
            {
                "IdentityType": _kind(identity),
                "IdentityName": identity.name,
                "SendingEnabled": True,
                "VerificationStatus": "SUCCESS",
            }
            for identity in self._identities
        ]
        size = call.params.get("PageSize", 1000)
        return paginate(described, call.params.get("NextToken"), size, INVALID_TOKEN).answer("EmailIdentities")

    async def delete_email_identity(self, call: Call) -> Answer:
        self._identities.remove(self._identity(call).name)
        return {}

    async def put_email_identity_dkim_attributes(self, call: Call) -> Answer:
        self._identity(call).signing = call.params.get("SigningEnabled", False)
        return {}

    async def put_email_identity_mail_from_attributes(self, call: Call) -> Answer:
        identity = self._identity(call)
        identity.set_mail_from(call.params.get("MailFromDomain"))
        rejects = call.params.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
        identity.on_mx_failure = "RejectMessage" if rejects else "UseDefaultValue"
        return {}

    async def put_email_identity_feedback_attributes(self, call: Call) -> Answer:
        self._identity(call).forwarding = call.params.get("EmailForwardingEnabled", False)
        return {}

    async def put_email_identity_configuration_set_attributes(self, call: Call) -> Answer:
        self._identity(call).configuration_set = call.params.get("ConfigurationSetName")
        return {}

    async def create_email_identity_policy(self, call: Call) -> Answer:
        policies, name = self._identity(call).policies, call.params["PolicyName"]
        if name in policies:
            raise AwsError("AlreadyExistsException", f"Policy {name} already exists.")
        policies[name] = call.params["Policy"]
        return {}

    async def update_email_identity_policy(self, call: Call) -> Answer:
        policies, name = self._identity(call).policies, call.params["PolicyName"]
        if name not in policies:
            raise AwsError("NotFoundException", f"Policy {name} does not exist.", status=404)
        policies[name] = call.params["Policy"]
        return {}

    async def get_email_identity_policies(self, call: Call) -> Answer:
        return {"Policies": dict(self._identity(call).policies)}

    async def delete_email_identity_policy(self, call: Call) -> Answer:
        self._identity(call).policies.pop(call.params["PolicyName"], None)
        return {}

    def _identity(self, call: Call) -> Identity:
        name = call.params["EmailIdentity"]
        identity = self._identities.find(name)
        if identity is None:
            raise AwsError("NotFoundException", f"Email identity {name} does not exist.", status=404)
        return identity

    def _arn(self, identity: Identity) -> str:
        return f"arn:aws:ses:{self._ctx.region}:{self._ctx.account}:identity/{identity.name}"


def _kind(identity: Identity) -> str:
    return "DOMAIN" if identity.is_domain else "EMAIL_ADDRESS"


def _dkim(identity: Identity) -> Answer:
    return {
        "SigningEnabled": identity.signing,
        "Status": "SUCCESS" if identity.is_domain else "NOT_STARTED",
        "SigningAttributesOrigin": "AWS_SES",
        "NextSigningKeyLength": "RSA_2048_BIT",
        "CurrentSigningKeyLength": "RSA_2048_BIT",
        **({"Tokens": list(identity.dkim_tokens)} if identity.is_domain else {}),
    }
