"""What an SDK would send and read, without one."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway.identify import identify
from webordinary_testkit.emulation.state.sdk import to_request, to_result
from webordinary_testkit.emulation.state.wire import HttpResponse

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "ListTables", {}),
    ("elbv2", "DescribeLoadBalancers", {"Names": ["web"]}),
    ("ec2", "DescribeVpcs", {"VpcIds": ["vpc-1"]}),
    ("efs", "DescribeMountTargets", {"FileSystemId": "fs-1"}),
    ("s3", "PutObject", {"Bucket": "bkt", "Key": "a b/c", "Body": b"x"}),
    ("cloudwatch", "GetDashboard", {"DashboardName": "d"}),
]


@pytest.mark.parametrize(("service", "operation", "params"), CALLS)
def test_a_request_is_one_the_gateway_would_understand(service: str, operation: str, params: dict[str, Any]) -> None:
    request = to_request(service, operation, "eu-west-1", params, "127.0.0.1:4566")
    identity = identify(request, "us-west-2")

    assert (identity.service, identity.operation, identity.region) == (service, operation, "eu-west-1")
    assert request.headers["host"] == "127.0.0.1:4566"


def test_no_bucket_goes_into_the_host_name() -> None:
    request = to_request("s3", "GetObject", "us-west-2", {"Bucket": "bkt", "Key": "a b/c"}, "127.0.0.1:4566")

    assert request.path == "/bkt/a%20b/c"


def test_an_error_is_raised_with_its_code_message_and_members() -> None:
    body = (
        b'{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled",'
        b' "CancellationReasons": [{"Code": "None"}]}'
    )

    with pytest.raises(AwsError) as refused:
        to_result("dynamodb", "TransactGetItems", HttpResponse(400, {}, body))

    assert (refused.value.code, refused.value.message) == ("TransactionCanceledException", "cancelled")
    assert refused.value.extra == {"CancellationReasons": [{"Code": "None"}]}


def test_an_error_without_a_code_is_its_status() -> None:
    with pytest.raises(AwsError) as refused:
        to_result("s3", "HeadObject", HttpResponse(404))

    assert (refused.value.code, refused.value.status) == ("404", 404)
