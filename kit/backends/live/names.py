"""Limits the stack's name so that CloudFormation does not truncate it in the names of the stack's roles."""

from __future__ import annotations

from ...aws.template import Template
from ...core.errors import UsageError

ROLE_NAME = 64
"""Characters of a role's name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
SUFFIX = 13
"""Random characters that CloudFormation appends, at most; it truncates the name before them."""


def longest_stack_name(template: Template) -> int:
    """The maximum length of a stack name with this template: its roles are `<stack>-<logical id>-<suffix>`."""
    generated = [each.id for each in template.of_type("AWS::IAM::Role") if "RoleName" not in each.properties]
    return ROLE_NAME - max((len(f"-{id}-") + SUFFIX for id in generated), default=0)


def refuse_long_name(name: str, template: Template) -> None:
    """Raises `UsageError` for a stack name that would be truncated in the names of its roles."""
    most = longest_stack_name(template)
    if len(name) > most:
        raise UsageError(
            f"stack name {name!r} has {len(name)} characters, and with this template it may have {most}: "
            f"CloudFormation would truncate its roles' names to {ROLE_NAME}, and the policy would not match them",
            where="stack.name, stack.template",
            next=f"choose a shorter one: --set stack.name={name[:most].rstrip('-')}",
        )
