"""Maps the properties of a bucket to S3's operations.

S3 is the only service whose templates and API differ by more than case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import property_mapping
from ..errors import PropertyError


@dataclass(frozen=True)
class Setting:
    put: str
    """The operation that sets it."""
    translate: Callable[[Any], dict[str, Any]]
    """The property as the operation's parameters, in names that differ from the API's by case only."""
    delete: str = ""
    """The operation that removes it; without one, `off` is put."""
    off: Any = None

    def params(self, value: Any) -> dict[str, Any]:
        """Raises `PropertyError` for what the API does not know."""
        try:
            return property_mapping.to_parameters("s3", self.put, self.translate(value))
        except (KeyError, TypeError, AttributeError) as error:
            raise PropertyError(f"{self.put} cannot take {value!r}: {error!r}") from error


def _renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in entry.items()}


def _same(name: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: value}


def _encryption(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    rules = [_renamed(rule, names) for rule in value["ServerSideEncryptionConfiguration"]]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _cors(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    return {"CORSConfiguration": {"CORSRules": [_renamed(rule, names) for rule in value["CorsRules"]]}}


def _lifecycle(value: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: item for key, item in value.items() if key != "Rules"}
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(dict(rule)) for rule in value["Rules"]]}, **rest}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    marker = "ExpiredObjectDeleteMarker"
    names = {"ExpirationInDays": "Days", "ExpirationDate": "Date", marker: marker}
    if expiration := {name: rule.pop(key) for key, name in names.items() if key in rule}:
        result["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.pop("NoncurrentVersionExpirationInDays")}
    for kind, names in (
        ("Transition", {"TransitionInDays": "Days", "TransitionDate": "Date"}),
        ("NoncurrentVersionTransition", {"TransitionInDays": "NoncurrentDays"}),
    ):
        transitions = rule.pop(f"{kind}s", []) + ([rule.pop(kind)] if kind in rule else [])
        if transitions:
            result[f"{kind}s"] = [_renamed(each, names) for each in transitions]
    result["Filter"] = _lifecycle_filter(rule)
    return {**result, **rule}


def _lifecycle_filter(rule: dict[str, Any]) -> dict[str, Any]:
    tags = rule.pop("TagFilters", [])
    parts: dict[str, Any] = {
        key: rule.pop(key) for key in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule
    }
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return parts or {"Prefix": ""}


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}
    return {"BucketLoggingStatus": {"LoggingEnabled": {"TargetPrefix": "", **_renamed(value, names)}} if value else {}}


def _notifications(value: Mapping[str, Any]) -> dict[str, Any]:
    kinds = (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    )
    result: dict[str, Any] = {}
    rest = dict(value)
    for ours, theirs, target, arn in kinds:
        if entries := rest.pop(ours, []):
            result[theirs] = [_notification(dict(entry), target, arn) for entry in entries]
    bus = rest.pop("EventBridgeConfiguration", None)
    if bus is not None and str(bus.get("EventBridgeEnabled", "true")).lower() == "true":
        result["EventBridgeConfiguration"] = {}
    return {"NotificationConfiguration": {**result, **rest}}


def _notification(entry: dict[str, Any], target: str, arn: str) -> dict[str, Any]:
    result = {"Events": [entry.pop("Event")], arn: entry.pop(target)}
    if "Filter" in entry:
        result["Filter"] = {"Key": {"FilterRules": entry.pop("Filter")["S3Key"]["Rules"]}}
    return {**result, **entry}


def _website(value: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(value)
    if "IndexDocument" in result:
        result["IndexDocument"] = {"Suffix": result["IndexDocument"]}
    if "ErrorDocument" in result:
        result["ErrorDocument"] = {"Key": result["ErrorDocument"]}
    if "RoutingRules" in result:
        names = {"RedirectRule": "Redirect", "RoutingRuleCondition": "Condition"}
        result["RoutingRules"] = [_renamed(rule, names) for rule in result["RoutingRules"]]
    return {"WebsiteConfiguration": result}


SETTINGS: Mapping[str, Setting] = {
    "VersioningConfiguration": Setting(
        "PutBucketVersioning", _same("VersioningConfiguration"), off={"Status": "Suspended"}
    ),
    "BucketEncryption": Setting("PutBucketEncryption", _encryption, delete="DeleteBucketEncryption"),
    "OwnershipControls": Setting(
        "PutBucketOwnershipControls", _same("OwnershipControls"), delete="DeleteBucketOwnershipControls"
    ),
    "PublicAccessBlockConfiguration": Setting(
        "PutPublicAccessBlock", _same("PublicAccessBlockConfiguration"), delete="DeletePublicAccessBlock"
    ),
    "CorsConfiguration": Setting("PutBucketCors", _cors, delete="DeleteBucketCors"),
    "LifecycleConfiguration": Setting("PutBucketLifecycleConfiguration", _lifecycle, delete="DeleteBucketLifecycle"),
    "LoggingConfiguration": Setting("PutBucketLogging", _logging, off={}),
    "NotificationConfiguration": Setting("PutBucketNotificationConfiguration", _notifications, off={}),
    "ObjectLockConfiguration": Setting("PutObjectLockConfiguration", _same("ObjectLockConfiguration"), off={}),
    "WebsiteConfiguration": Setting("PutBucketWebsite", _website, delete="DeleteBucketWebsite"),
}
