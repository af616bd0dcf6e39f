"""A CloudFormation template as it will be deployed: its parameters' values, and the resources its conditions let in.

Read without AWS: what only AWS knows (`Fn::GetAtt`, the account) stays unresolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from ..core.errors import UsageError

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref X`) as its long ones."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True)
class Resource:
    """One resource of the template, by its logical id."""

    id: str
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """A template with the parameters it is deployed with."""

    document: Mapping[str, Any]
    parameters: Mapping[str, str]

    @classmethod
    def read(cls, text: str, parameters: Mapping[str, str] | None = None) -> Template:
        """Raises `UsageError` for what is no template."""
        try:
            document = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise UsageError(f"the template is not YAML: {error}", next="check it with cfn-lint") from None
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise UsageError("the template has no Resources", next="check it with cfn-lint")
        declared = document.get("Parameters") or {}
        values = {name: str(spec["Default"]) for name, spec in declared.items() if "Default" in spec}
        return cls(document, {**values, **(parameters or {})})

    @cached_property
    def resources(self) -> list[Resource]:
        """What is created, conditions applied, in the template's order."""
        return [
            Resource(name, resource["Type"], resource.get("Properties") or {})
            for name, resource in self.document["Resources"].items()
            if self.holds(resource.get("Condition"))
        ]

    def of_type(self, type: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type]

    def holds(self, condition: str | None) -> bool:
        """Whether a named condition is true; no condition is."""
        if condition is None:
            return True
        return bool(self._truth((self.document.get("Conditions") or {})[condition]))

    def value(self, value: Any) -> Any:
        """A property's value: parameters put in, the rest as it stands."""
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self.parameters.get(value["Ref"], value)
        if set(value) == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            return self.value(yes if self.holds(condition) else no)
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return _VARIABLE.sub(lambda found: self.parameters.get(found[1], found[0]), value["Fn::Sub"])
        return {name: self.value(one) for name, one in value.items()}

    def name(self, resource: Resource) -> str:
        """The name a resource will have where the template gives it one; its logical id otherwise."""
        for key, value in resource.properties.items():
            if key == "Name" or (key.endswith("Name") and key.removesuffix("Name") in resource.type):
                known = self.value(value)
                if isinstance(known, str):
                    return known
        rule = resource.properties.get("Rule")
        if isinstance(rule, dict) and isinstance(named := self.value(rule.get("Name")), str):
            return named
        return resource.id

    def _truth(self, expression: Any) -> Any:
        match expression:
            case {"Fn::Equals": [left, right]}:
                return self.value(left) == self.value(right)
            case {"Fn::Not": [inner]}:
                return not self._truth(inner)
            case {"Fn::And": parts}:
                return all(self._truth(part) for part in parts)
            case {"Fn::Or": parts}:
                return any(self._truth(part) for part in parts)
            case {"Condition": str(name)}:
                return self.holds(name)
        raise UsageError(f"a condition of the template is not understood: {expression}", next="check it with cfn-lint")
