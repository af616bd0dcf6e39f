"""The identity operations of the SES API, version 2 (2019-09-27), over the same identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Context, Handler, Operation
from ....core.errors import AwsError
from ..v2_errors import in_v2
from .api import add, set_mail_from
from .store import Identities, Identity

Answer = dict[str, Any]
_ON_MX_FAILURE = {"UseDefaultValue": "USE_DEFAULT_VALUE", "RejectMessage": "REJECT_MESSAGE"}


class IdentityApiV2:
    def __init__(self, ctx: Context, identities: Identities) -> None:
        self._ctx = ctx
        self._identities = identities

    def handlers(self) -> Mapping[Operation, Handler]:
        operations: dict[str, Handler] = {
            "CreateEmailIdentity": self._create,
            "GetEmailIdentity": self._get,
            "ListEmailIdentities": self._list,
            "DeleteEmailIdentity": self._delete,
            "PutEmailIdentityDkimAttributes": self._put_dkim,
            "PutEmailIdentityMailFromAttributes": self._put_mail_from,
            "PutEmailIdentityFeedbackAttributes": self._put_feedback,
            "PutEmailIdentityConfigurationSetAttributes": self._put_configuration_set,
            "CreateEmailIdentityPolicy": self._create_policy,
            "UpdateEmailIdentityPolicy": self._update_policy,
            "GetEmailIdentityPolicies": self._policies,
            "DeleteEmailIdentityPolicy": self._delete_policy,
        }
        return {("sesv2", operation): in_v2(handler) for operation, handler in operations.items()}

    async def _create(self, call: Call) -> Answer:
        name = call.params["EmailIdentity"]
        if self._identities.find(name) is not None:
            raise AwsError("AlreadyExistsException", f"Email identity {name} already exist.")
        identity = add(self._ctx, self._identities, name)
        identity.configuration_set = call.params.get("ConfigurationSetName")
        if tags := call.params.get("Tags"):
            await self._ctx.aws.call("sesv2", "TagResource", ResourceArn=self._arn(identity), Tags=list(tags))
        return {
            "IdentityType": _kind(identity),
            "VerifiedForSendingStatus": True,
            "DkimAttributes": _dkim(identity),
        }

    async def _get(self, call: Call) -> Answer:
        identity = self._find(call)
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
            "VerificationInfo": {
                "LastCheckedTimestamp": identity.created,
                "LastSuccessTimestamp": identity.created,
            },
        }
        if identity.configuration_set is not None:
            answer["ConfigurationSetName"] = identity.configuration_set
        return answer

    async def _list(self, call: Call) -> Answer:
        described = [
            {
                "IdentityType": _kind(identity),
                "IdentityName": identity.name,
                "SendingEnabled": True,
                "VerificationStatus": "SUCCESS",
            }
            for identity in self._identities
        ]
        start = int(call.params.get("NextToken", 0))
        end = start + call.params.get("PageSize", 1000)
        page: Answer = {"EmailIdentities": described[start:end]}
        return {**page, "NextToken": str(end)} if end < len(described) else page

    async def _delete(self, call: Call) -> Answer:
        identity = self._find(call)
        self._identities.remove(identity.name)
        return {}

    async def _put_dkim(self, call: Call) -> Answer:
        self._find(call).signing = call.params.get("SigningEnabled", False)
        return {}

    async def _put_mail_from(self, call: Call) -> Answer:
        identity = self._find(call)
        set_mail_from(identity, call.params.get("MailFromDomain"))
        rejects = call.params.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
        identity.on_mx_failure = "RejectMessage" if rejects else "UseDefaultValue"
        return {}

    async def _put_feedback(self, call: Call) -> Answer:
        self._find(call).forwarding = call.params.get("EmailForwardingEnabled", False)
        return {}

    async def _put_configuration_set(self, call: Call) -> Answer:
        self._find(call).configuration_set = call.params.get("ConfigurationSetName")
        return {}

    async def _create_policy(self, call: Call) -> Answer:
        policies, name = self._find(call).policies, call.params["PolicyName"]
        if name in policies:
            raise AwsError("AlreadyExistsException", f"Policy {name} already exists.")
        policies[name] = call.params["Policy"]
        return {}

    async def _update_policy(self, call: Call) -> Answer:
        policies, name = self._find(call).policies, call.params["PolicyName"]
        if name not in policies:
            raise AwsError("NotFoundException", f"Policy {name} does not exist.", status=404)
        policies[name] = call.params["Policy"]
        return {}

    async def _policies(self, call: Call) -> Answer:
        return {"Policies": dict(self._find(call).policies)}

    async def _delete_policy(self, call: Call) -> Answer:
        self._find(call).policies.pop(call.params["PolicyName"], None)
        return {}

    def _find(self, call: Call) -> Identity:
        name = call.params["EmailIdentity"]
        found = self._identities.find(name)
        if found is None:
            raise AwsError("NotFoundException", f"Email identity {name} does not exist.", status=404)
        return found

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
