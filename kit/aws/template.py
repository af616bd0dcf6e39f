"""A CloudFormation template with its parameters: the resources its conditions let in, and the images it runs.

Read without AWS: what only AWS knows (`Fn::GetAtt`, the account) stays unresolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import yaml

from ..core.errors import UsageError

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]  # chosen at run time: libyaml may be absent
    """Reads CloudFormation's short forms (`!Ref X`) as its long ones."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@lru_cache(maxsize=8)
def parsed(text: str) -> Mapping[str, Any]:
    """The template as data, parsed once; do not change it. Raises `UsageError` for anything else."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise UsageError(f"the template is not YAML: {error}", next="check it with cfn-lint") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise UsageError("the template has no Resources", next="check it with cfn-lint")
    return document


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
        """Parse a template; parameters that are not given have their defaults. Raises `UsageError`."""
        document = parsed(text)
        declared = document.get("Parameters") or {}
        values = {name: str(spec["Default"]) for name, spec in declared.items() if "Default" in spec}
        return cls(document, {**values, **(parameters or {})})

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources that are created, conditions applied, in the template's order."""
        return [
            Resource(name, resource["Type"], resource.get("Properties") or {})
            for name, resource in self.document["Resources"].items()
            if self.holds(resource.get("Condition"))
        ]

    def of_type(self, type: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type]

    def holds(self, condition: str | None) -> bool:
        """Whether a named condition is true; None is true."""
        if condition is None:
            return True
        return bool(self._truth((self.document.get("Conditions") or {})[condition]))

    def value(self, value: Any) -> Any:
        """A property's value with parameters put in; the rest unchanged."""
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
        """The name that the template gives a resource; its logical id when it gives none."""
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


def parameter_names(text: str) -> dict[str, str]:
    """The template's parameters with their defaults; without a default, empty."""
    declared = parsed(text).get("Parameters") or {}
    return {name: str(spec.get("Default", "")) for name, spec in declared.items() if isinstance(spec, dict)}


def images(text: str, parameters: Mapping[str, str]) -> list[str]:
    """The images of the template's container definitions that are literal or a parameter's value."""
    values = {**parameter_names(text), **parameters}
    refs = _container_images(parsed(text)["Resources"])
    named = (values.get(image["Ref"]) if isinstance(image, dict) and "Ref" in image else image for image in refs)
    return sorted({image for image in named if isinstance(image, str)})


def image_choice(
    text: str, parameters: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Split the setting `images`: template parameters, and for every image of the template the one to run.

    Raises `UsageError` for a name that is neither a parameter nor an image of the template.
    """
    names = parameter_names(text)
    values = {**parameters, **{name: image for name, image in wanted.items() if name in names}}
    present = images(text, values)
    for name in wanted:
        if name not in names and name not in present:
            naming = (name for name, default in names.items() if default in images(text, parameters))
            raise UsageError(
                f"{name!r} is no image of the stack, nor a parameter that names one",
                where="images",
                next=f"the template has {', '.join(sorted([*present, *naming]))}",
            )
    return values, {image: wanted.get(image, image) for image in present}


def require_programs(text: str, parameters: Mapping[str, str], programs: Mapping[str, Sequence[str]]) -> None:
    """Raises `UsageError` for the first image of the template that has no program."""
    for image in images(text, parameters):
        if image not in programs:
            raise UsageError(
                f"no program for image {image!r}: the process runtime cannot run it",
                where="emulated.programs",
                next=f'add it to kit.toml: [emulated.programs] "{image}" = ["python", "-m", "your_program"]; '
                f"there are programs for {', '.join(sorted(programs)) or 'no image'}",
            )


def _container_images(resources: Mapping[str, Any]) -> Iterator[Any]:
    for resource in resources.values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::ECS::TaskDefinition":
            for container in (resource.get("Properties") or {}).get("ContainerDefinitions") or ():
                if isinstance(container, dict) and "Image" in container:
                    yield container["Image"]
