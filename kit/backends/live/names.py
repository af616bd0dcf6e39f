"""How long a stack's name may be, so that the roles' names that CloudFormation makes of it begin with all of it."""

from __future__ import annotations

from ...aws.template import Template
from ...core.errors import UsageError

ROLE_NAME = 64
"""Characters of a role's name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
SUFFIX = 13
"""Characters that CloudFormation adds at random, at most; in a name that gets too long it cuts what is before them."""


def longest(template: Template) -> int:
    """Characters that a stack of this template may have: its roles are `<stack>-<logical id>-<suffix>`."""
    made = [each.id for each in template.of_type("AWS::IAM::Role") if "RoleName" not in each.properties]
    return ROLE_NAME - max((len(f"-{id}-") + SUFFIX for id in made), default=0)


def refuse_long(name: str, template: Template) -> None:
    """Raises `UsageError` for a stack's name that would be cut off in the names of its roles."""
    most = longest(template)
    if len(name) > most:
        raise UsageError(
            f"stack name {name!r} has {len(name)} characters, and with this template it may have {most}: "
            f"CloudFormation would cut its roles' names to {ROLE_NAME}, and the policy would not know them",
            where="stack.name, stack.template",
            next=f"choose a shorter one: --set stack.name={name[:most].rstrip('-')}",
        )
