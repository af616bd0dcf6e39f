"""Parameter values: where they come from and which are allowed."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.services.cloudformation.errors import ValidationError
from webordinary_testkit.emulation.services.cloudformation.parameters import resolve, shown, typed


def given(**values: str) -> list[dict[str, Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def test_a_value_given_wins_over_the_default() -> None:
    declared: dict[str, dict[str, Any]] = {
        "A": {"Type": "String", "Default": "x"},
        "B": {"Type": "Number", "Default": 3},
    }
    assert resolve(declared, given(A="y")) == {"A": "y", "B": "3"}


def test_a_limit_itself_is_allowed() -> None:
    declared = {
        "N": {"Type": "Number", "MinValue": 1, "MaxValue": 2},
        "S": {"Type": "String", "MinLength": 1, "MaxLength": 2},
    }
    assert resolve(declared, given(N="1", S="a"))["N"] == "1"
    assert resolve(declared, given(N="2", S="ab"))["N"] == "2"


def test_an_empty_value_is_a_value() -> None:
    assert resolve({"A": {"Type": "String", "Default": "x"}}, given(A="")) == {"A": ""}


def test_the_previous_value_is_kept_on_request_only() -> None:
    declared = {"A": {"Type": "String", "Default": "x"}}
    keep = [{"ParameterKey": "A", "UsePreviousValue": True}]
    assert resolve(declared, keep, {"A": "before"}) == {"A": "before"}
    assert resolve(declared, [], {"A": "before"}) == {"A": "x"}


@pytest.mark.parametrize(
    ("declared", "values", "message"),
    [
        ({}, given(X="1"), r"Parameters: \[X\] do not exist in the template"),
        ({"X": {"Type": "String"}, "Y": {"Type": "String"}}, [], r"Parameters: \[X, Y\] must have values"),
        ({"X": {"Type": "String"}}, [*given(X="1"), *given(X="2")], "given twice"),
        ({"X": {"Type": "String"}}, [{"ParameterKey": "X", "UsePreviousValue": True}], "not in the previous template"),
        ({"X": {"Type": "Strong"}}, given(X="1"), "Unrecognized parameter type: Strong"),
        (
            {"X": {"Type": "AWS::SSM::Parameter::Value<String>"}},
            given(X="/a"),
            "AWS::SSM::Parameter::Value<String> is not emulated",
        ),
        ({"X": {"Type": "Number"}}, given(X="many"), "Parameter 'X' must be a number"),
        ({"X": {"Type": "Number", "MinValue": 10}}, given(X="9"), "not less than 10"),
        ({"X": {"Type": "Number", "MaxValue": "10"}}, given(X="10.5"), "not greater than 10"),
        ({"X": {"Type": "List<Number>", "MaxValue": 5}}, given(X="1, 6"), "not greater than 5"),
        ({"X": {"Type": "String", "MinLength": 2}}, given(X="a"), "at least 2 characters"),
        ({"X": {"Type": "String", "MaxLength": 2}}, given(X="abc"), "at most 2 characters"),
        ({"X": {"Type": "String", "AllowedValues": ["a", True]}}, given(X="b"), r"one of AllowedValues: \[a, true\]"),
        ({"X": {"Type": "String", "AllowedPattern": "[a-z]+"}}, given(X="ab1"), r"must match pattern \[a-z\]\+"),
        (
            {"X": {"Type": "String", "AllowedPattern": "a", "ConstraintDescription": "only a."}},
            given(X="b"),
            "Parameter X failed to satisfy constraint: only a.",
        ),
        ({"X": {"Type": "String", "Default": "b", "AllowedValues": ["a"]}}, [], "one of AllowedValues"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said(declared: Any, values: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        resolve(declared, values)


@pytest.mark.parametrize("kind", ["AWS::EC2::VPC::Id", "List<AWS::EC2::Subnet::Id>", "AWS::EC2::KeyPair::KeyName"])
def test_types_of_aws_resources_are_known(kind: str) -> None:
    assert resolve({"X": {"Type": kind}}, given(X="subnet-1")) == {"X": "subnet-1"}


@pytest.mark.parametrize("kind", ["CommaDelimitedList", "List<Number>", "List<AWS::EC2::Subnet::Id>"])
def test_a_list_type_is_a_list(kind: str) -> None:
    assert typed({"Type": kind}, "1, 2,3") == ["1", "2", "3"]
    assert typed({"Type": kind}, "") == []


def test_a_secret_is_not_shown() -> None:
    assert shown({"Type": "String", "NoEcho": True}, "s3cret") == "****"
    assert shown({"Type": "String", "NoEcho": "false"}, "open") == "open"
