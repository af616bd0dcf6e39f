"""The table of resource types against AWS's own registry, as cfn-lint ships it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from webordinary_testkit.emulation.services.cloudformation.resources import TYPES
from webordinary_testkit.emulation.services.cloudformation.resources.base import ResourceType

manager = pytest.importorskip("cfnlint.schema.manager", reason="cfn-lint (dev extra) carries AWS's resource registry")

SOME_VALUE_IS_NEVER_THERE = {
    # These exist for a subnet with IPv6, an outpost, a replication, SnapStart: nothing here makes them.
    "AWS::EC2::VPC": {"VpcEncryptionControl"},
    "AWS::EC2::Subnet": {"BlockPublicAccessStates"},
    "AWS::Lambda::Function": {"SnapStartResponse"},
}


@cache
def schema(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manager.PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-west-2", name).schema
    return found


def listed(name: str, key: str) -> set[str]:
    """Top-level names in a list of property pointers."""
    return {pointer.split("/")[2] for pointer in schema(name).get(key, ())}


all_types = pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)


@all_types
def test_it_has_every_property_that_the_registry_has(kind: ResourceType) -> None:
    read_only = {
        pointer.split("/")[2] for pointer in schema(kind.name).get("readOnlyProperties", ()) if pointer.count("/") == 2
    }
    in_registry = set(schema(kind.name)["properties"]) - read_only
    assert kind.properties | kind.not_emulated == in_registry
    assert not kind.properties & kind.not_emulated


@all_types
def test_it_requires_what_the_registry_requires(kind: ResourceType) -> None:
    assert kind.required == set(schema(kind.name).get("required", ()))


@all_types
def test_it_is_replaced_for_what_the_registry_calls_create_only(kind: ResourceType) -> None:
    create_only = listed(kind.name, "createOnlyProperties") - kind.not_emulated
    assert create_only <= (
        kind.properties if kind.update is None else {each.split(".")[0] for each in kind.create_only}
    )


@all_types
def test_it_has_the_attributes_of_the_registry(kind: ResourceType) -> None:
    assert listed(
        kind.name, "readOnlyProperties"
    ) - kind.attributes - kind.not_emulated <= SOME_VALUE_IS_NEVER_THERE.get(kind.name, set())


@all_types
def test_it_takes_tags_where_the_registry_says_so(kind: ResourceType) -> None:
    tagging = schema(kind.name).get("tagging") or {}
    if tagging.get("taggable") and kind.tag_property not in kind.not_emulated:
        assert tagging["tagProperty"] == f"/properties/{kind.tag_property}"
        assert kind.retag is not None
    else:
        assert kind.retag is None


@all_types
def test_what_names_and_what_replaces_are_properties(kind: ResourceType) -> None:
    assert {each.split(".")[0] for each in kind.create_only} <= kind.properties
    assert not kind.name_property or kind.name_property in kind.properties
    assert kind.required <= kind.properties
