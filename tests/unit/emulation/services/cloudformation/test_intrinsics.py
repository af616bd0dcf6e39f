"""The intrinsic functions, each as CloudFormation evaluates it."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.cloudformation.errors import ValidationError
from webordinary_testkit.emulation.services.cloudformation.intrinsics import (
    KNOWN_AFTER_APPLY,
    NO_VALUE,
    Scope,
    Unknown,
    evaluate,
    holds,
)

NOTHING = {"Ref": "AWS::NoValue"}
SCOPE = Scope(
    values={"Name": "web", "List": ["a", "b"], "Count": "3", "AWS::Region": "us-west-2"},
    mappings={"Sizes": {"us-west-2": {"Small": "256", "Zones": ["x", "y"]}}},
    conditions={"Yes": True, "No": False},
    zones=("us-west-2a", "us-west-2b"),
    exports={"shared-vpc": "vpc-1"},
    reference=lambda name: f"{name}-id",
    attribute=lambda name, attribute: f"{name}-{attribute}",
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Name"}, "web"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "Queue"}, "Queue-id"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "Queue-Arn"),
        ({"Fn::GetAtt": "Queue.Arn"}, "Queue-Arn"),
        ({"Fn::GetAtt": ["Queue", {"Ref": "Name"}]}, "Queue-web"),
        ({"Fn::Sub": "${Name}/${Queue}/${Queue.Arn}"}, "web/Queue-id/Queue-Arn"),
        ({"Fn::Sub": "${!Name} $Name ${Name} $"}, "${Name} $Name web $"),
        ({"Fn::Sub": ["${x}-${Name}", {"x": {"Ref": "Queue"}}]}, "Queue-id-web"),
        ({"Fn::Sub": ["${Name}", {"Name": "own"}]}, "own"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1, True]]}, "a-web-1-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Join": ["-", ["a", NOTHING, "b"]]}, "a-b"),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::Select": ["0", {"Fn::GetAZs": ""}]}, "us-west-2a"),
        ({"Fn::Split": ["|", "a||b"]}, ["a", "", "b"]),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", {"Ref": "Missing"}, "else"]}, "else"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Small"]}, "256"),
        ({"Fn::FindInMap": ["Sizes", "us-west-2", "Zones"]}, ["x", "y"]),
        ({"Fn::ImportValue": "shared-vpc"}, "vpc-1"),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["us-west-2a", "us-west-2b"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/16", "1"]}, ["10.0.0.0/24"]),
        ({"Fn::Cidr": ["2001:db8::/56", 2, 64]}, ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ({"Condition": {"StringEquals": {"a": {"Ref": "Name"}}}}, {"Condition": {"StringEquals": {"a": "web"}}}),
    ],
)
def test_a_function_evaluates_to(expression: Any, value: Any) -> None:
    assert evaluate(expression, SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"Fn::Select": [2, ["a", "b"]]}, "Fn::Select cannot select nonexistent value at index 2"),
        ({"Fn::Select": ["x", ["a"]]}, "Fn::Select takes an integer index"),
        ({"Fn::Select": [0, "a"]}, "Fn::Select selects from a list"),
        ({"Fn::Join": [",", "a"]}, "Fn::Join joins a list"),
        ({"Fn::Sub": "${List}"}, "expected a string, got list"),
        ({"Fn::FindInMap": ["Sizes", "eu-west-1", "Small"]}, "Unable to get mapping for Sizes::eu-west-1::Small"),
        ({"Fn::ImportValue": "nobody"}, "No export named nobody found."),
        ({"Fn::GetAZs": "eu-west-1"}, "knows only this region"),
        ({"Fn::Cidr": ["10.0.0.0/24", 2, 8]}, "2 blocks of 8 bits do not fit into 10.0.0.0/24"),
        ({"Fn::Cidr": ["nonsense", 1, 8]}, "Fn::Cidr"),
        ({"Fn::Split": ["", "a"]}, "needs a delimiter"),
    ],
)
def test_a_function_that_cannot_says_why(expression: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        evaluate(expression, SCOPE)


def test_no_value_leaves_out_what_holds_it() -> None:
    assert evaluate({"a": NOTHING, "b": ["x", NOTHING], "c": {"d": NOTHING}}, SCOPE) == {"b": ["x"], "c": {}}
    assert evaluate(NOTHING, SCOPE) is NO_VALUE


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"Fn::Equals": ["a", "a"]}, True),
        ({"Fn::Equals": [{"Ref": "Count"}, 3]}, True),
        ({"Fn::Equals": ["true", True]}, True),
        ({"Fn::Equals": [{"Ref": "List"}, ["a", "b"]]}, True),
        ({"Fn::Equals": ["a", "A"]}, False),
        ({"Fn::Not": [{"Condition": "No"}]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": ["1", 1]}]}, True),
    ],
)
def test_a_condition_holds_or_not(condition: Any, value: bool) -> None:
    assert holds(condition, SCOPE) is value


@pytest.mark.parametrize("nonsense", [True, "Yes", {"Ref": "Name"}, {"Condition": "Unheard"}, {}])
def test_what_is_no_condition_is_refused(nonsense: Any) -> None:
    with pytest.raises(ValidationError, match="Unresolved condition"):
        holds(nonsense, SCOPE)


@pytest.mark.parametrize(
    "expression",
    [
        {"Fn::Sub": "a-${Queue}"},
        {"Fn::Join": ["", ["a", {"Ref": "Queue"}]]},
        {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Queue"}]}]},
        {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]},
        {"Fn::Base64": {"Ref": "Queue"}},
    ],
)
def test_what_is_made_of_something_unknown_is_unknown(expression: Any) -> None:
    unmade = Scope(values={}, reference=lambda name: KNOWN_AFTER_APPLY, attribute=lambda name, of: KNOWN_AFTER_APPLY)
    assert isinstance(evaluate(expression, unmade), Unknown)


texts = st.text(max_size=12)


@given(texts)
def test_base64_is_undone_by_decoding(value: str) -> None:
    assert base64.b64decode(evaluate({"Fn::Base64": value}, SCOPE)).decode() == value


@given(st.lists(st.text(alphabet="abc", max_size=4), min_size=1), st.sampled_from([",", "--", "::"]))
def test_split_undoes_join(parts: list[str], delimiter: str) -> None:
    joined = {"Fn::Join": [delimiter, parts]}
    assert evaluate({"Fn::Split": [delimiter, joined]}, SCOPE) == parts


@given(texts.filter(lambda text: "${" not in text), texts.filter(lambda text: "${" not in text and "}" not in text))
def test_sub_keeps_everything_but_the_names(before: str, after: str) -> None:
    assert evaluate({"Fn::Sub": f"{before}${{Name}}{after}"}, SCOPE) == f"{before}web{after}"


@given(st.text(alphabet="ab$!{} .", max_size=12).filter(lambda text: "}" not in text))
def test_sub_unescapes_a_literal(inside: str) -> None:
    assert evaluate({"Fn::Sub": f"${{!{inside}}}"}, SCOPE) == f"${{{inside}}}"


@given(st.integers(8, 28), st.integers(1, 16), st.integers(1, 12))
def test_cidr_gives_so_many_blocks_inside_that_do_not_overlap(prefix: int, count: int, bits: int) -> None:
    network = ipaddress.ip_network((0x0A000000, prefix))
    fits = prefix <= 32 - bits and count <= 2 ** (32 - bits - prefix)
    if not fits:
        with pytest.raises(ValidationError):
            evaluate({"Fn::Cidr": [str(network), count, bits]}, SCOPE)
        return
    blocks = [ipaddress.ip_network(each) for each in evaluate({"Fn::Cidr": [str(network), count, bits]}, SCOPE)]
    assert len(blocks) == count
    assert all(block.prefixlen == 32 - bits and block.subnet_of(network) for block in blocks)  # type: ignore[arg-type]
    assert not any(a.overlaps(b) for i, a in enumerate(blocks) for b in blocks[:i])


@given(
    st.recursive(texts | st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner))
)
def test_what_holds_no_function_means_itself(value: Any) -> None:
    assert evaluate(value, SCOPE) == value
