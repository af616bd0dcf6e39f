"""Which images a template runs: known before anything starts, so that one without a program is refused at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from ..core.errors import UsageError


class _Function(dict[str, Any]):
    """A short form such as `!Ref X`, as `{"Ref": "X"}`."""


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms without resolving them."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> _Function:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return _Function({suffix: value})


_Loader.add_multi_constructor("!", _short_form)


def refuse_without_program(template: str, parameters: Mapping[str, str], programs: Mapping[str, Sequence[str]]) -> None:
    """Raises `UsageError` for the first image that no program stands for, and for a template that is no YAML."""
    for image in images(template, parameters):
        if image not in programs:
            raise UsageError(
                f"no program for image {image!r}: the process runtime cannot run it",
                where="emulated.programs",
                next=f'add it to kit.toml: [emulated.programs] "{image}" = ["python", "-m", "your_program"]; '
                f"there are programs for {', '.join(sorted(programs)) or 'no image'}",
            )


def chosen(
    template: str, parameters: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The settings' `images` taken apart: template parameters, and for every image of the template the one that runs.
    Raises `UsageError` for a name that is neither a parameter nor an image of the template."""
    names = parameter_names(template)
    told = {**parameters, **{name: image for name, image in wanted.items() if name in names}}
    there = images(template, told)
    for name in wanted:
        if name not in names and name not in there:
            known = sorted(
                [*there, *(name for name, default in names.items() if default in images(template, parameters))]
            )
            raise UsageError(
                f"{name!r} is no image of the stack, nor a parameter that names one",
                where="images",
                next=f"the template has {', '.join(known)}",
            )
    return told, {image: wanted.get(image, image) for image in there}


def images(template: str, parameters: Mapping[str, str]) -> list[str]:
    """The images of the template's container definitions, where they are literal or a parameter's value."""
    document = _document(template)
    values = {**parameter_names(template), **parameters}
    found = [_resolved(image, values) for image in _container_images(document["Resources"])]
    return sorted({image for image in found if image is not None})


def parameter_names(template: str) -> dict[str, str]:
    """The template's parameters with their defaults; without a default, empty."""
    declared = _document(template).get("Parameters") or {}
    return {name: str(spec.get("Default", "")) for name, spec in declared.items() if isinstance(spec, dict)}


def _document(template: str) -> dict[str, Any]:
    try:
        document = yaml.load(template, Loader=_Loader)
    except yaml.YAMLError as error:
        raise UsageError(f"the template is not YAML: {error}", next="check it with cfn-lint") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise UsageError("the template has no Resources", next="check it with cfn-lint")
    return document


def _container_images(resources: Mapping[str, Any]) -> Iterator[Any]:
    for resource in resources.values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::ECS::TaskDefinition":
            for container in (resource.get("Properties") or {}).get("ContainerDefinitions") or ():
                if isinstance(container, dict) and "Image" in container:
                    yield container["Image"]


def _resolved(image: Any, values: Mapping[str, str]) -> str | None:
    if isinstance(image, str):
        return image
    if isinstance(image, dict) and "Ref" in image:
        return values.get(image["Ref"])
    return None
