"""The values of the policy's placeholders: account, region and the stack's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....aws.deploy import template_text
from ....aws.template import Template, parameter_names
from ....settings import Settings
from ..names import refuse_long_name

NAMESPACE = "Webordinary/IntegrationTests"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def values_of(settings: Settings) -> dict[str, str]:
    """Placeholder → value; `Hermes` and `Edit` are ECR repositories, `Prefix` is that of the resources' names.

    Raises `UsageError` for an unreadable template, and for a stack name that would be truncated in the names of its
    roles.
    """
    text = template_text(settings.stack.template)
    refuse_long_name(settings.stack.name, Template.read(text, settings.stack.parameters))
    parameters = {**parameter_names(text), **settings.stack.parameters}
    partitions = (partition for prefix, partition in _PARTITIONS.items() if settings.region.startswith(prefix))
    return {
        "Partition": next(partitions, "aws"),
        "Region": settings.region,
        "Account": settings.account,
        "Stack": settings.stack.name,
        "Prefix": parameters.get("ResourcePrefix", ""),
        # Without mail the policy keeps its form, with a domain that does not exist.
        "Domain": settings.live.mail_domain or "no-mail.invalid",
        "Namespace": NAMESPACE,
        "Hermes": _repository(parameters.get("HermesImage", "")),
        "Edit": _repository(parameters.get("EditImage", "")),
    }


def fill(document: Any, values: Mapping[str, str]) -> Any:
    """Replaces every `${placeholder}` of the document; IAM's variables stay."""
    if isinstance(document, str):
        for name, value in values.items():
            document = document.replace(f"${{{name}}}", value)
        return document
    if isinstance(document, Mapping):
        return {fill(key, values): fill(value, values) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [fill(each, values) for each in document]
    return document


def _repository(image: str) -> str:
    """`210987654321.dkr.ecr.us-west-2.amazonaws.com/webordinary/edit:1.4` → `webordinary/edit`."""
    host, slash, path = image.partition("/")
    name = path if slash and "." in host else image
    return name.partition("@")[0].partition(":")[0]
