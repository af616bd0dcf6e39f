"""Converts receipt rules from and to the shapes of the SES API."""

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
_ACTIONS: Mapping[str, tuple[Any, Mapping[str, str]]] = {
    "S3Action": (
        S3Action,
        {"bucket": "BucketName", "prefix": "ObjectKeyPrefix", "topic": "TopicArn", "role": "IamRoleArn"},
    ),
    "SNSAction": (SnsAction, {"topic": "TopicArn", "encoding": "Encoding"}),
    "BounceAction": (
        BounceAction,
        {
            "reply_code": "SmtpReplyCode",
            "message": "Message",
            "sender": "Sender",
            "status": "StatusCode",
            "topic": "TopicArn",
        },
    ),
    "AddHeaderAction": (AddHeaderAction, {"name": "HeaderName", "value": "HeaderValue"}),
    "StopAction": (StopAction, {"topic": "TopicArn"}),
}
"""Member of `ReceiptAction` -> its class and the members of the class's fields."""
_NOT_EMULATED = {
    "LambdaAction": "publish to SNS or store in S3 instead, and let a task take it from there",
    "WorkmailAction": "there is no WorkMail organization here",
    "ConnectAction": "there is no Connect instance here",
}


def check_name(name: str, member: str) -> str:
    """Return the name of a rule or rule set, or raise SES's error for an invalid one."""
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
    """Parse a botocore `ReceiptRule`."""
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
    """The botocore `ReceiptRule` of a rule."""
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
    if "KmsKeyArn" in given:
        raise _not_emulated("client-side encryption (S3Action.KmsKeyArn)", "leave the key out")
    action, members = _ACTIONS[kind]
    read: Action = action(**{field: given[member] for field, member in members.items() if member in given})
    if isinstance(read, AddHeaderAction):
        _check_header(read.name, read.value)
    return read


def _write_action(action: Action) -> dict[str, Any]:
    kind, members = next((kind, members) for kind, (cls, members) in _ACTIONS.items() if isinstance(action, cls))
    given = {member: getattr(action, field) for field, member in members.items()}
    scope = {"Scope": "RuleSet"} if isinstance(action, StopAction) else {}
    return {kind: scope | {member: value for member, value in given.items() if value is not None}}


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise _invalid(f"Invalid header name: {name}")
    if "\r" in value or "\n" in value or len(value) >= 2048:
        raise _invalid(f"Invalid header value: {value[:80]!r}")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _not_emulated(what: str, instead: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"ses: a receipt rule with {what} is not emulated. Nothing was changed. Try this: {instead}.",
    )
