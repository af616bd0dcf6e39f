"""A receipt rule as the SES API spells it: checked on its way in, written on its way out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....core.errors import AwsError
from ..addresses import is_condition
from .rules import Action, AddHeaderAction, BounceAction, Rule, S3Action, SnsAction, StopAction

ACTIONS = 10
RECIPIENTS = 100
_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_HEADER_NAME = re.compile(r"[a-zA-Z0-9-]{1,50}")
_NOT_EMULATED = {
    "LambdaAction": "publish to SNS or store in S3 instead, and let a task take it from there",
    "WorkmailAction": "there is no WorkMail organization here",
    "ConnectAction": "there is no Connect instance here",
}


def check_name(name: str, member: str) -> str:
    """Return a rule set's or rule's name, or raise what SES raises for a bad one."""
    if not _NAME.fullmatch(name):
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9_.-]+$",
        )
    if len(name) > 64 or not (name[0].isalnum() and name[-1].isalnum()):
        raise _invalid(f"Not a valid {member}: {name}")
    return name


def read(shape: Mapping[str, Any]) -> Rule:
    """The rule a botocore `ReceiptRule` describes."""
    name = check_name(shape["Name"], "ruleName")
    actions = tuple(_read_action(action) for action in shape.get("Actions", ()))
    if len(actions) > ACTIONS:
        raise AwsError("LimitExceeded", f"Maximum number of actions in a rule exceeded: {ACTIONS}")
    if any(isinstance(action, StopAction) for action in actions[:-1]):
        raise _invalid("Stop action, if any, must be placed at the end of the actions list")
    return Rule(
        name=name,
        enabled=shape.get("Enabled", False),
        scan=shape.get("ScanEnabled", False),
        tls_required=shape.get("TlsPolicy") == "Require",
        recipients=_read_recipients(shape["Recipients"]) if "Recipients" in shape else None,
        actions=actions,
    )


def write(rule: Rule) -> dict[str, Any]:
    """The botocore `ReceiptRule` that describes a rule."""
    shape: dict[str, Any] = {
        "Name": rule.name,
        "Enabled": rule.enabled,
        "TlsPolicy": "Require" if rule.tls_required else "Optional",
        "Actions": [_write_action(action) for action in rule.actions],
        "ScanEnabled": rule.scan,
    }
    if rule.recipients is not None:
        shape["Recipients"] = list(rule.recipients)
    return shape


def _read_recipients(recipients: list[str]) -> tuple[str, ...]:
    for recipient in recipients:
        if not is_condition(recipient.lower()):
            raise _invalid(f"Invalid recipient: {recipient}")
    conditions = tuple(sorted({recipient.lower() for recipient in recipients}))
    if len(conditions) > RECIPIENTS:
        raise AwsError("LimitExceeded", f"Maximum number of recipients in a rule exceeded: {RECIPIENTS}")
    return conditions


def _read_action(shape: Mapping[str, Any]) -> Action:
    if len(shape) != 1:
        raise _invalid("Exactly one action type must be specified for each ReceiptAction")
    ((kind, given),) = shape.items()
    if kind in _NOT_EMULATED:
        raise _not_emulated(f"a {kind}", _NOT_EMULATED[kind])
    if kind == "S3Action":
        if "KmsKeyArn" in given:
            raise _not_emulated("client-side encryption (S3Action.KmsKeyArn)", "leave the key out")
        return S3Action(
            given["BucketName"], given.get("ObjectKeyPrefix"), given.get("TopicArn"), given.get("IamRoleArn")
        )
    if kind == "SNSAction":
        return SnsAction(given["TopicArn"], given.get("Encoding", "UTF-8"))
    if kind == "BounceAction":
        return BounceAction(
            given["SmtpReplyCode"], given["Message"], given["Sender"], given.get("StatusCode"), given.get("TopicArn")
        )
    if kind == "AddHeaderAction":
        return _read_header(given["HeaderName"], given["HeaderValue"])
    return StopAction(given.get("TopicArn"))


def _read_header(name: str, value: str) -> AddHeaderAction:
    if not _HEADER_NAME.fullmatch(name):
        raise _invalid(f"Invalid header name: {name}")
    if "\r" in value or "\n" in value or len(value) >= 2048:
        raise _invalid(f"Invalid header value: {value[:80]!r}")
    return AddHeaderAction(name, value)


def _write_action(action: Action) -> dict[str, Any]:
    match action:
        case S3Action():
            return {
                "S3Action": _given(
                    BucketName=action.bucket,
                    ObjectKeyPrefix=action.prefix,
                    TopicArn=action.topic,
                    IamRoleArn=action.role,
                )
            }
        case SnsAction():
            return {"SNSAction": {"TopicArn": action.topic, "Encoding": action.encoding}}
        case BounceAction():
            return {
                "BounceAction": _given(
                    SmtpReplyCode=action.reply_code,
                    Message=action.message,
                    Sender=action.sender,
                    StatusCode=action.status,
                    TopicArn=action.topic,
                )
            }
        case AddHeaderAction():
            return {"AddHeaderAction": {"HeaderName": action.name, "HeaderValue": action.value}}
        case StopAction():
            return {"StopAction": _given(Scope="RuleSet", TopicArn=action.topic)}


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _not_emulated(what: str, instead: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"ses: a receipt rule with {what} is not emulated. Nothing was changed. Try this: {instead}.",
        status=501,
    )
