"""Inline policies may lack a Version (it is 2008-10-17 then): moto demands 2012-10-17, as AWS does of managed ones.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
"""

from __future__ import annotations

import json
from typing import Any

from .replace import extend


def accept_policies_without_version() -> None:
    """Call it after importing `moto.iam`. Idempotent."""
    from moto.iam.models import IAMBackend  # noqa: PLC0415 - heavy: only where moto runs

    for kind in ("role", "user", "group"):
        extend(IAMBackend, f"put_{kind}_policy", _put)


def _put(put: Any, self: Any, name: str, policy_name: str, policy_json: str) -> None:
    try:
        document = json.loads(policy_json)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Version" in document:
        put(self, name, policy_name, policy_json)
        return
    put(self, name, policy_name, json.dumps({"Version": "2012-10-17", **document}))
    owners = {"put_role_policy": self.get_role, "put_user_policy": self.get_user, "put_group_policy": self.get_group}
    owners[put.__name__](name).put_policy(policy_name, policy_json)
