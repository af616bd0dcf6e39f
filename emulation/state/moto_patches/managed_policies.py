"""AWS's managed IAM policies, loaded on demand.

moto would load all 1,600 at the first call to any service, and again after every reset (0.4 s, 15 MB). Here each is
loaded when a request names it, and all of them when policies are listed.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

_NAMED = re.compile(r"arn:[\w-]+:iam::aws:policy/(?:[\w-]+/)*([\w+=,.@-]+)")


def provide(backend: Any, body: bytes) -> None:
    """Load the managed policies that an IAM request needs into moto's backend."""
    if b"policy" not in body and b"Polic" not in body:
        return
    text = unquote_plus(body.decode(errors="replace"))
    if "Action=ListPolicies" in text:
        _add(backend, json.loads(_table()))
    else:
        known = {policy.name for policy in backend.aws_managed_policies}
        _add(backend, {name: data for name in set(_NAMED.findall(text)) - known if (data := _one(name)) is not None})


def _add(backend: Any, policies: dict[str, Any]) -> None:
    from moto.iam.models import AWSManagedPolicy  # noqa: PLC0415 - heavy: only where moto runs

    known = {policy.name for policy in backend.aws_managed_policies}
    for name in policies.keys() - known:
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, policies[name])
        backend.aws_managed_policies.append(policy)
        backend.managed_policies[policy.arn] = policy


def _one(name: str) -> Any:
    """A policy's entry, cut out of the table to avoid parsing all 4.7 MB; None for an unknown name."""
    table = _table()
    begin = table.find(f'\n "{name}":{{\n')
    if begin < 0:
        return None
    end = table.find("\n }", begin)
    return json.loads(table[table.index("{", begin) : end + len("\n }")])


def _table() -> str:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - 4.7 MB

    return str(aws_managed_policies_data)
