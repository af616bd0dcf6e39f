"""Checks that FIS can assume an experiment's role and that the role allows its actions.

Statements of its policies are matched by action; resources and conditions are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...core.controller import Aws
from ...core.errors import AwsError
from ..iam import Role, trusts
from ..iam.statements import covers_action
from .model import ExperimentFailed

_SERVICE = "fis.amazonaws.com"


async def check(aws: Aws, arn: str, needed: Iterable[str]) -> None:
    """Raises `ExperimentFailed`."""
    try:
        trusted = await trusts(aws, arn, _SERVICE)
    except AwsError as error:
        raise ExperimentFailed(f"Unable to assume role {arn}: it does not exist", "AccessDenied") from error
    if not trusted:
        raise ExperimentFailed(
            f"Unable to assume role {arn}: its trust policy does not name {_SERVICE}", "AccessDenied"
        )
    statements = await Role(aws, arn).statements()
    for action in needed:
        if {each["Effect"] for each in statements if covers_action(each, action)} != {"Allow"}:
            raise ExperimentFailed(f"Role {arn} is not authorized to perform {action}", "AccessDenied")
