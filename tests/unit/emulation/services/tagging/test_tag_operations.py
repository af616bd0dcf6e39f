"""Tags in each API's own form, by botocore's model."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.services.tagging.tag_operations import tag_parameters


@pytest.mark.parametrize(
    ("service", "operation", "kind", "expected"),
    [
        ("ecs", "CreateCluster", None, {"tags": [{"key": "a", "value": "b"}]}),
        ("sns", "CreateTopic", None, {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("sqs", "CreateQueue", None, {"tags": {"a": "b"}}),
        ("logs", "CreateLogGroup", None, {"tags": {"a": "b"}}),
        (
            "ec2",
            "CreateVpc",
            "vpc",
            {"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]},
        ),
        ("s3", "CreateBucket", None, {}),
    ],
)
def test_tags_take_each_apis_own_form(service: str, operation: str, kind: str | None, expected: Any) -> None:
    assert tag_parameters(service, operation, {"a": "b"}, kind) == expected
    assert tag_parameters(service, operation, {}, kind) == {}
