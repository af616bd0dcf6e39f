"""What is told of a base, and what becomes of a base that goes on."""

from __future__ import annotations

import pytest

from webordinary_testkit.kit.backends.emulated.base_state import explained, lines, outlives, ready_within
from webordinary_testkit.kit.backends.emulated.child import PULLED_WITHIN
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.settings import load


def test_the_embedded_base_is_not_worth_a_line() -> None:
    assert list(lines({})) == []


def test_a_base_is_told_with_what_it_serves_and_what_it_does_not() -> None:
    gap = "not included in your current license plan"
    facts = {
        "name": "localstack/localstack:4.14.0",
        "endpoint": "http://127.0.0.1:1",
        "serves": ["s3", "sqs"],
        "embedded": {"dynamodb": "no answer", "efs": gap, "elbv2": gap},
    }
    assert list(lines(facts)) == [
        "base localstack/localstack:4.14.0 at http://127.0.0.1:1: s3, sqs",
        "from the embedded base: dynamodb (no answer)",
        f"from the embedded base: efs, elbv2 ({gap})",
    ]


@pytest.mark.parametrize("base", ["moto", "localstack", "http://127.0.0.1:4566", "https://aws.example.test/"])
def test_a_base_is_a_name_or_an_endpoint(base: str) -> None:
    assert load({"emulated": {"base": base}}, environ={}).emulated.base == base
    assert outlives(base) is base.startswith("http")


@pytest.mark.parametrize("base", ["dynalite", "127.0.0.1:4566", "http://host/path"])
def test_what_is_neither_is_refused(base: str) -> None:
    with pytest.raises(UsageError, match=r"emulated\.base"):
        load({"emulated": {"base": base}}, environ={})


def test_an_image_may_have_to_be_pulled() -> None:
    settings = load({"emulated": {"base": "localstack"}}, environ={})
    assert ready_within(settings) == PULLED_WITHIN
    assert ready_within(load({}, environ={})) == 30


def test_what_a_killed_run_left_in_a_base_is_explained() -> None:
    error = InfraError("the first cause: Table already exists: t")
    assert "it may be from a run that was killed" in str(explained(error, "http://127.0.0.1:1"))
    assert explained(error, "localstack") is error
    other = InfraError("the first cause: AccessDenied")
    assert explained(other, "http://127.0.0.1:1") is other
