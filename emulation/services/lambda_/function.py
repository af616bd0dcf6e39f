"""A function: what CreateFunction sets, and how the API describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import AwsError

LATEST = "$LATEST"
DEFAULTS: Mapping[str, Any] = {
    "Timeout": 3,
    "MemorySize": 128,
    "Description": "",
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
}
SETTINGS = (
    *("Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "Environment", "DeadLetterConfig"),
    *("PackageType", "Architectures", "TracingConfig", "EphemeralStorage", "LoggingConfig"),
)
"""The parameters of CreateFunction and UpdateFunctionConfiguration that are kept as they are."""


@dataclass(eq=False)
class Function:
    name: str
    arn: str
    settings: dict[str, Any]
    """By `SETTINGS`."""
    folder: Path
    """The unpacked code."""
    code: bytes
    """The zip file."""
    sha256: str
    """Of the zip file, in base64."""
    modified: str
    revision: str
    tags: dict[str, str] = field(default_factory=dict)
    policy: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The statements of its resource-based policy, by their ids."""
    reserved: int | None = None
    """Reserved concurrency."""
    retries: dict[str, Any] = field(default_factory=dict)
    """Of PutFunctionEventInvokeConfig."""

    @property
    def role(self) -> str:
        return str(self.settings["Role"])

    @property
    def timeout(self) -> int:
        """AWS seconds."""
        return int(self.settings["Timeout"])

    @property
    def memory(self) -> int:
        """MiB."""
        return int(self.settings["MemorySize"])

    @property
    def variables(self) -> Mapping[str, str]:
        return dict(self.settings.get("Environment", {}).get("Variables", {}))

    @property
    def log_group(self) -> str:
        return str(self.settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}")

    @property
    def dead_letters(self) -> str:
        """ARN of a queue or topic; empty without one."""
        return str(self.settings.get("DeadLetterConfig", {}).get("TargetArn") or "")

    def described(self) -> dict[str, Any]:
        """A FunctionConfiguration."""
        logging = {"LogFormat": "Text", "LogGroup": self.log_group, **self.settings.get("LoggingConfig", {})}
        return {
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            **self.settings,
            "LoggingConfig": logging,
            "CodeSize": len(self.code),
            "CodeSha256": self.sha256,
            "LastModified": self.modified,
            "RevisionId": self.revision,
            "Version": LATEST,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        }


def not_found(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", status=404)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


class Functions:
    """The functions of a region, by name."""

    def __init__(self, region: str, account: str) -> None:
        self._prefix = f"arn:aws:lambda:{region}:{account}:function:"
        self._account = account
        self.by_name: dict[str, Function] = {}

    def arn(self, name: str) -> str:
        return self._prefix + name

    def name(self, given: str, qualifier: str | None = None) -> str:
        """The name in a name, an ARN or `account:function:name`. Raises `AwsError` for a version or an alias, which
        are not emulated, and for a function of another account or region."""
        prefix = next(each for each in (self._prefix, f"{self._account}:function:", "") if given.startswith(each))
        name, _, version = given.removeprefix(prefix).partition(":")
        if version not in ("", LATEST) or qualifier not in (None, LATEST):
            raise not_found(f"{self._prefix}{name}:{qualifier or version}")
        if name == "arn":
            raise not_found(given)
        return name

    def get(self, given: str, qualifier: str | None = None) -> Function:
        """Raises `AwsError` for a function that does not exist."""
        name = self.name(given, qualifier)
        if name not in self.by_name:
            raise not_found(self.arn(name))
        return self.by_name[name]
