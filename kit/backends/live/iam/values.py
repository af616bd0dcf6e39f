"""What stands in the place of the policy's placeholders: account, region, and the names of the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....settings import Settings

PLACEHOLDERS = (
    "Partition",
    "Region",
    "Account",
    "Stack",
    "Prefix",
    "Domain",
    "Namespace",
    "Hermes",
    "Edit",
)
"""`${Stack}` is the stack's name, `${Prefix}` begins its resources' names, `${Domain}` is its mail domain; `${Hermes}`
and `${Edit}` are the ECR repositories of its images."""
NAMESPACE = "Webordinary/IntegrationTests"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def values_of(settings: Settings) -> dict[str, str]:
    """Placeholder → value. Raises `UsageError` for a template that cannot be read, and for a stack's name that would be
    cut off in the names of its roles."""
    from ....aws.deploy import template_text  # noqa: PLC0415 - only where a template is read
    from ....aws.template import Template, parameter_names  # noqa: PLC0415
    from ..names import refuse_long_name  # noqa: PLC0415

    text = template_text(settings.stack.template)
    refuse_long_name(settings.stack.name, Template.read(text, settings.stack.parameters))
    known = parameter_names(text)
    told = {**known, **settings.stack.parameters}
    beginnings = (partition for start, partition in _PARTITIONS.items() if settings.region.startswith(start))
    return {
        "Partition": next(beginnings, "aws"),
        "Region": settings.region,
        "Account": settings.account,
        "Stack": settings.stack.name,
        "Prefix": told.get("ResourcePrefix", ""),
        # Without mail there is nothing to send from; a domain that is nobody's keeps the policy whole.
        "Domain": settings.live.mail_domain or "no-mail.invalid",
        "Namespace": NAMESPACE,
        "Hermes": _repository(told.get("HermesImage", "")),
        "Edit": _repository(told.get("EditImage", "")),
    }


def filled(document: Any, values: Mapping[str, str]) -> Any:
    """The document with every `${placeholder}` replaced; others, IAM's own variables, stay."""
    if isinstance(document, str):
        for name, value in values.items():
            document = document.replace(f"${{{name}}}", value)
        return document
    if isinstance(document, Mapping):
        return {filled(key, values): filled(value, values) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [filled(each, values) for each in document]
    return document


def _repository(image: str) -> str:
    """`210987654321.dkr.ecr.us-west-2.amazonaws.com/webordinary/edit:1.4` → `webordinary/edit`."""
    host, slash, path = image.partition("/")
    name = path if slash and "." in host else image
    return name.partition("@")[0].partition(":")[0]
