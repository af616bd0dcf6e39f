"""Template text: YAML with short forms, JSON, and what CloudFormation does not take."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.cloudformation import yaml_source
from webordinary_testkit.emulation.services.cloudformation.errors import ValidationError
from webordinary_testkit.emulation.services.cloudformation.yaml_source import parse

names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
plain = st.recursive(
    st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Queue", {"Ref": "Queue"}),
        ("!Condition Live", {"Condition": "Live"}),
        ("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("!GetAtt Nested.Outputs.Url", {"Fn::GetAtt": ["Nested", "Outputs.Url"]}),
        ("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ('!Sub "${A}-b"', {"Fn::Sub": "${A}-b"}),
        ("!Sub ['${x}', {x: !Ref A}]", {"Fn::Sub": ["${x}", {"x": {"Ref": "A"}}]}),
        ('!GetAZs ""', {"Fn::GetAZs": ""}),
        ("!Select [1, !Split [',', !Ref List]]", {"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "List"}]}]}),
        ("!If [Live, 1, !Ref AWS::NoValue]", {"Fn::If": ["Live", 1, {"Ref": "AWS::NoValue"}]}),
    ],
)
def test_a_short_form_is_the_function_it_abbreviates(text: str, value: Any) -> None:
    assert parse(f"Here: {text}") == {"Here": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("0755", "0755"),
        ("12:30:45", "12:30:45"),
        ("0x10", "0x10"),
        ("60", 60),
        ("-1", -1),
        ("0.5", 0.5),
        ("1.4.0", "1.4.0"),
        ("yes", True),
        ("False", False),
        ('"true"', "true"),
        ("'60'", "60"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, value: Any) -> None:
    found = parse(f"Here: {text}")["Here"]
    assert (found, type(found)) == (value, type(value))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names, plain, min_size=1, max_size=5))
def test_json_means_what_json_says(value: dict[str, Any]) -> None:
    assert parse(json.dumps(value)) == value


def test_a_block_knows_its_line() -> None:
    assert parse("A: 1\nB:\n  C: !Ref X\n")["B"].line == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A: [1, 2", r"YAML not well-formed\. \(line \d, column \d+\)"),
        ("A: 1\n B: 2", r"YAML not well-formed\. \(line 2, column 3\)"),
        ('{"A": 1,\n}', r"JSON not well-formed\. \(line 2, column 2\)$"),
        ("A: &x 1\nB: *x", r"YAML aliases are not allowed.*\(line 1"),
        ("A:\n  <<: {B: 1}", r"merge keys are not allowed.*\(line 2"),
        ("A: 1\nB: 2\nA: 3", r"duplicate key 'A' \(line 3, column 1\)"),
        ('{"A": 1, "A": 2}', "duplicate key 'A'"),
        ("A:\n  B:", r"'null' values are not allowed in templates \(line 2"),
        ("A: !Nope x", r"!Nope is not a CloudFormation function \(line 1, column 4\)"),
    ],
)
def test_what_is_refused_is_shown_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        parse(text)


@pytest.mark.parametrize("opening, closing", [("[", "]"), ("{a: ", "}"), ("- ", ""), ("!Not [", "]")])
@pytest.mark.parametrize("depth", [101, 500, 5000, 500_000])
def test_a_yaml_template_nested_too_deep_is_refused(opening: str, closing: str, depth: int) -> None:
    with pytest.raises(ValidationError, match=r"nested deeper than 100 levels|exceeded maximum"):
        parse(f"A:\n  {opening * depth}x{closing * depth}")


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a": ', "}")])
@pytest.mark.parametrize("depth", [100, 500, 500_000])
def test_a_json_template_nested_too_deep_is_refused(opening: str, closing: str, depth: int) -> None:
    with pytest.raises(ValidationError, match="nested deeper than 100 levels"):
        parse('{"A": ' + opening * depth + "1" + closing * depth + "}")


def test_a_template_may_be_nested_99_levels_deep() -> None:
    assert parse('{"A": ' + "[" * 99 + "]" * 99 + "}") and parse("A: " + "[" * 98 + "x" + "]" * 98)


def test_the_python_loader_refuses_deep_yaml_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "_Loader", yaml.SafeLoader)
    with pytest.raises(ValidationError, match="nested deeper than 100 levels"):
        parse("A: " + "[" * 5000)


def test_aliases_expand_to_nothing() -> None:
    bomb = ["a0: &a0 [x, x]", *(f"a{level}: &a{level} [{f'*a{level - 1}, ' * 9}x]" for level in range(1, 40))]
    with pytest.raises(ValidationError, match="YAML aliases are not allowed"):
        parse("\n".join(bomb))
