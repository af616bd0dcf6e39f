"""What the deployed stack says about itself: its outputs, typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from ..core.errors import InfraError


@dataclass(frozen=True)
class Stack:
    """The stack's name and its outputs, named as in the template but in Python's spelling."""

    name: str
    load_balancer_url: str
    load_balancer_arn: str
    cluster_name: str
    hermes_service_name: str
    edit_service_name: str
    sessions_table_name: str
    mail_table_name: str
    inbound_queue_url: str
    dead_letter_queue_url: str
    replies_queue_url: str
    mail_address: str
    client_mail_domain: str
    hermes_target_group_arn: str
    edit_target_group_arn: str
    hermes_log_group: str
    edit_log_group: str
    file_system_id: str
    access_point_id: str
    metrics_namespace: str
    environment_name: str
    receipt_rule_set_name: str
    idle_seconds: str
    fault_role_arn: str = ""
    """What experiments of the Fault Injection Service act as; empty where the template has none."""
    fault_abort_alarm_arn: str = ""
    """The alarm that stops them."""

    @classmethod
    def from_outputs(cls, name: str, outputs: Mapping[str, str]) -> Stack:
        """Raises `InfraError` that names the outputs a template lacks."""
        wanted = {field.name: output_key(field.name) for field in fields(cls) if field.name != "name"}
        optional = {output_key(field.name) for field in fields(cls) if field.default is not MISSING}
        missing = [key for key in wanted.values() if key not in outputs and key not in optional]
        if missing:
            raise InfraError(
                f"stack {name} has no output {', '.join(missing)}",
                where="the template's Outputs",
                next="add them to the template: the kit finds everything by the stack's outputs",
            )
        return cls(name=name, **{field: outputs[key] for field, key in wanted.items() if key in outputs})

    def outputs(self) -> dict[str, str]:
        """The outputs again, as CloudFormation names them."""
        return {output_key(field.name): getattr(self, field.name) for field in fields(self) if field.name != "name"}

    @property
    def mail_domain(self) -> str:
        return self.mail_address.partition("@")[2]


def output_key(field: str) -> str:
    """`load_balancer_url` → `LoadBalancerUrl`."""
    return re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), field)
