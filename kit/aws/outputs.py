"""The deployed stack: its name and its outputs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

from ..core.errors import InfraError

_ADD_IT = "add it to the template: the kit finds everything by the stack's outputs"


def outputs_of(description: Mapping[str, Any]) -> dict[str, str]:
    """The outputs in DescribeStacks' description of a stack, by key; empty until it is deployed."""
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs") or ()}


def output_key(field: str) -> str:
    """`load_balancer_url` → `LoadBalancerUrl`."""
    return re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), field)


class Output:
    """An output of the template as an attribute of `Stack`: `load_balancer_url` reads `LoadBalancerUrl`.

    Reading one that the template lacks gives the default, or raises `InfraError`.
    """

    def __init__(self, default: str | None = None) -> None:
        self.key = ""
        self.default = default

    def __set_name__(self, owner: type[Stack], name: str) -> None:
        self.key = output_key(name)

    @overload
    def __get__(self, stack: None, owner: type[Stack]) -> Output: ...

    @overload
    def __get__(self, stack: Stack, owner: type[Stack]) -> str: ...

    def __get__(self, stack: Stack | None, owner: type[Stack]) -> Output | str:
        if stack is None:
            return self
        return stack[self.key] if self.default is None else stack.outputs.get(self.key, self.default)


@dataclass(frozen=True)
class Stack:
    """A deployed stack: `stack["QueueUrl"]` is any of its outputs; those of Webordinary's template have attributes."""

    name: str
    outputs: Mapping[str, str]

    load_balancer_url = Output()
    load_balancer_arn = Output()
    cluster_name = Output()
    hermes_service_name = Output()
    edit_service_name = Output()
    sessions_table_name = Output()
    mail_table_name = Output()
    inbound_queue_url = Output()
    dead_letter_queue_url = Output()
    replies_queue_url = Output()
    mail_address = Output()
    client_mail_domain = Output()
    hermes_target_group_arn = Output()
    edit_target_group_arn = Output()
    hermes_log_group = Output()
    edit_log_group = Output()
    metrics_namespace = Output()
    environment_name = Output()
    receipt_rule_set_name = Output()
    idle_seconds = Output()
    fault_role_arn = Output("")
    """The role of Fault Injection Service experiments; empty when the template has none."""
    fault_abort_alarm_arn = Output("")
    """The alarm that stops them."""

    def __getitem__(self, key: str) -> str:
        """An output by its name in the template. Raises `InfraError` for one that the template lacks."""
        try:
            return self.outputs[key]
        except KeyError:
            near = difflib.get_close_matches(key, self.outputs, n=1)
            raise InfraError(
                f"stack {self.name} has no output {key}",
                where="the template's Outputs",
                next=f"did you mean {near[0]}?" if near else _ADD_IT,
            ) from None

    @property
    def is_webordinary(self) -> bool:
        """Whether this is Webordinary: the template has an output that no other system has."""
        return not {"HermesServiceName", "EditServiceName", "SessionsTableName"}.isdisjoint(self.outputs)

    def verify(self) -> Stack:
        """Return the stack. Raises `InfraError` that names the outputs which a template of Webordinary lacks."""
        required = [item.key for item in vars(Stack).values() if isinstance(item, Output) and item.default is None]
        missing = [key for key in required if key not in self.outputs]
        if missing and self.is_webordinary:
            raise InfraError(
                f"stack {self.name} has no output {', '.join(missing)}", where="the template's Outputs", next=_ADD_IT
            )
        return self

    @property
    def mail_domain(self) -> str:
        return self.mail_address.partition("@")[2]
