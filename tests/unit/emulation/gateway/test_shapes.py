"""What passes between parts conforms to botocore's shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from webordinary_testkit.emulation.gateway.shapes import conform
from webordinary_testkit.emulation.state.models import operation_model


def output(service: str, operation: str, value: Any) -> Any:
    return conform(value, operation_model(service, operation).output_shape, "out")


def test_none_means_absent() -> None:
    assert output("ecs", "DescribeServices", {"services": None, "failures": []}) == {"failures": []}


@pytest.mark.parametrize(
    "moment",
    [
        1_795_000_000.25,
        datetime.fromtimestamp(1_795_000_000.25, UTC),
        datetime.fromtimestamp(1_795_000_000.25, UTC).replace(tzinfo=None),
        "2026-11-18T11:06:40.250000+00:00",
    ],
    ids=["epoch seconds", "aware", "naive", "ISO 8601"],
)
def test_a_timestamp_is_an_aware_datetime(moment: Any) -> None:
    result = output("efs", "CreateFileSystem", {"CreationTime": moment})

    assert result == {"CreationTime": datetime.fromtimestamp(1_795_000_000.25, UTC)}


def test_a_blob_is_bytes() -> None:
    message = {"Body": "b", "MessageAttributes": {"n": {"BinaryValue": "text"}}}

    result = output("sqs", "ReceiveMessage", {"Messages": [message]})

    assert result["Messages"][0]["MessageAttributes"]["n"]["BinaryValue"] == b"text"


def test_an_operation_without_output_has_none() -> None:
    assert output("sqs", "DeleteQueue", {}) == {}
    with pytest.raises(ValueError, match="has no output"):
        output("sqs", "DeleteQueue", {"x": 1})


def test_the_path_to_a_wrong_member_is_named() -> None:
    with pytest.raises(ValueError, match=r"out\.services\[\]\.deployments\[\]\.stat is not a member of Deployment"):
        output("ecs", "DescribeServices", {"services": [{"deployments": [{"stat": "x"}]}]})
