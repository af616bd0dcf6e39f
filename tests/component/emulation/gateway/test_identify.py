"""Service, operation, protocol, region and key are told from what boto3 really sends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wire import sent_by_boto3, speaking
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway.identify import identify
from webordinary_testkit.emulation.gateway.signature import signature_of
from webordinary_testkit.emulation.state.wire import HttpRequest

CALLS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("dynamodb", "list_tables", {}, "ListTables", "json"),
    ("dynamodbstreams", "list_streams", {}, "ListStreams", "json"),
    ("ecs", "list_clusters", {}, "ListClusters", "json"),
    ("sqs", "send_message", {"QueueUrl": "http://x/1/q", "MessageBody": "b"}, "SendMessage", "json"),
    ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "ecs"}, "DescribeScalingPolicies",
     "json"),
    ("logs", "describe_log_groups", {}, "DescribeLogGroups", "json"),
    ("secretsmanager", "list_secrets", {}, "ListSecrets", "json"),
    ("stepfunctions", "list_state_machines", {}, "ListStateMachines", "json"),
    ("elbv2", "describe_load_balancers", {}, "DescribeLoadBalancers", "query"),
    ("elb", "describe_load_balancers", {}, "DescribeLoadBalancers", "query"),
    ("cloudformation", "list_stacks", {}, "ListStacks", "query"),
    ("sns", "list_topics", {}, "ListTopics", "query"),
    ("iam", "list_roles", {}, "ListRoles", "query"),
    ("sts", "get_caller_identity", {}, "GetCallerIdentity", "query"),
    ("ses", "list_identities", {}, "ListIdentities", "query"),
    ("autoscaling", "describe_auto_scaling_groups", {}, "DescribeAutoScalingGroups", "query"),
    ("ec2", "describe_vpcs", {}, "DescribeVpcs", "ec2"),
    ("cloudwatch", "list_metrics", {}, "ListMetrics", "json"),
    ("resourcegroupstaggingapi", "get_resources", {}, "GetResources", "json"),
    ("efs", "describe_file_systems", {}, "DescribeFileSystems", "rest-json"),
    ("efs", "delete_access_point", {"AccessPointId": "fsap-1"}, "DeleteAccessPoint", "rest-json"),
    ("sesv2", "get_account", {}, "GetAccount", "rest-json"),
    ("sesv2", "get_email_identity", {"EmailIdentity": "a@b.c"}, "GetEmailIdentity", "rest-json"),
    ("lambda", "list_functions", {}, "ListFunctions", "rest-json"),
    ("s3", "list_buckets", {}, "ListBuckets", "rest-xml"),
    ("s3", "list_objects_v2", {"Bucket": "bkt"}, "ListObjectsV2", "rest-xml"),
    ("s3", "get_object", {"Bucket": "bkt", "Key": "a/b c"}, "GetObject", "rest-xml"),
    ("s3", "put_bucket_policy", {"Bucket": "bkt", "Policy": "{}"}, "PutBucketPolicy", "rest-xml"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "method", "params", "operation", "protocol"), CALLS)
def test_a_call_of_boto3_is_told(
    service: str, method: str, params: dict[str, Any], operation: str, protocol: str
) -> None:
    identity = identify(sent_by_boto3(service, method, params), "eu-west-1")

    assert (identity.service, identity.operation, identity.protocol) == (service, operation, protocol)
    assert identity.signature is not None
    assert identity.signature.access_key == "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_cloudwatch_is_told_in_each_of_its_protocols(protocol: str) -> None:
    with speaking(protocol):
        identity = identify(sent_by_boto3("cloudwatch", "list_metrics"), "us-west-2")

    assert (identity.service, identity.operation, identity.protocol) == ("cloudwatch", "ListMetrics", protocol)


def test_the_region_is_the_one_signed_for() -> None:
    assert identify(sent_by_boto3("sqs", "list_queues"), "eu-west-1").region == "us-west-2"


def test_labels_of_a_rest_path_are_told() -> None:
    identity = identify(sent_by_boto3("s3", "get_object", {"Bucket": "bkt", "Key": "a/b c"}), "us-west-2")

    assert identity.uri_params == {"Bucket": "bkt", "Key": "a/b c"}


@pytest.mark.parametrize("endpoint", ["http://localhost:4566", None])
def test_a_bucket_in_the_host_name_is_the_bucket_in_the_path(endpoint: str | None) -> None:
    request = sent_by_boto3(
        "s3", "get_object", {"Bucket": "my.bucket-1", "Key": "k"}, endpoint=endpoint, s3={"addressing_style": "virtual"}
    )

    identity = identify(request, "us-west-2")

    assert identity.operation == "GetObject"
    assert identity.request.path == "/my.bucket-1/k"


def test_a_presigned_url_is_told_by_its_query() -> None:
    request = HttpRequest(
        "GET",
        "/bkt/key",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA1%2F20261122%2Fus-east-2%2Fs3%2Faws4_request",
        {"host": "127.0.0.1:4566"},
    )

    identity = identify(request, "us-west-2")

    assert (identity.service, identity.operation, identity.region) == ("s3", "GetObject", "us-east-2")
    assert identity.signature is not None
    assert identity.signature.access_key == "AKIA1"


def test_an_unsigned_get_reads_a_public_object() -> None:
    identity = identify(HttpRequest("GET", "/bkt/key", "", {"host": "127.0.0.1:4566"}), "us-west-2")

    assert (identity.service, identity.operation, identity.signature) == ("s3", "GetObject", None)


def test_a_link_in_an_sns_mail_is_told_without_a_signature() -> None:
    request = HttpRequest("GET", "/", "Action=Unsubscribe&SubscriptionArn=arn", {"host": "127.0.0.1:4566"})

    assert identify(request, "us-west-2").service == "sns"


def test_a_request_that_says_nothing_is_refused_with_advice() -> None:
    with pytest.raises(AwsError, match="AWS_ENDPOINT_URL") as refused:
        identify(HttpRequest("GET", "/", "", {"host": "127.0.0.1:4566"}), "us-west-2")

    assert refused.value.code == "MissingAuthenticationToken"


def test_a_service_nobody_knows_is_refused_by_name() -> None:
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/20261122/us-west-2/teapot/aws4_request, x"}

    with pytest.raises(AwsError, match="'teapot'"):
        identify(HttpRequest("POST", "/", "", headers), "us-west-2")


def test_a_broken_credential_scope_is_refused_with_its_form() -> None:
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/us-west-2, SignedHeaders=host"}

    with pytest.raises(AwsError, match="aws4_request"):
        signature_of(HttpRequest("POST", "/", "", headers))


def test_a_rest_path_of_no_operation_has_an_empty_name() -> None:
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/20261122/us-west-2/elasticfilesystem/aws4_request, x"
    }

    assert identify(HttpRequest("GET", "/no/such/path", "", headers), "us-west-2").operation == ""
