"""The integration test stack itself, on the whole cloud."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.support.stacks import Stacks, outputs, whole_cloud

TEMPLATE = Path("kit/system/integration-test-stack.yaml").read_text()
IMAGES = ("webordinary/hermes:test", "webordinary/edit:test")


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    async with whole_cloud({image: [sys.executable, "-c", ""] for image in IMAGES}) as each:
        yield each


async def created(cfn: Stacks, **params: Any) -> dict[str, Any]:
    stack = await cfn.create(TEMPLATE, Capabilities=["CAPABILITY_IAM"], **params)
    assert (stack["StackStatus"], await cfn.failures(stack["StackId"])) == ("CREATE_COMPLETE", [])
    return stack


async def test_it_is_created_updated_and_deleted_completely(cfn: Stacks) -> None:
    found = outputs(await created(cfn, tags={"run": "1"}))
    assert found["LoadBalancerUrl"].startswith("http://127.0.0.1:")
    assert found["ReceiptRuleSetName"] == "webordinary-it-rules"
    assert found["IdleSeconds"] == "60"
    services = await cfn.aws.call(
        "ecs", "DescribeServices", cluster=found["ClusterName"], services=[found["EditServiceName"]], include=["TAGS"]
    )
    (service,) = services["services"]
    assert service["desiredCount"] == 0
    assert {"key": "run", "value": "1"} in service["tags"]
    rules = await cfn.aws.call("ses", "DescribeReceiptRuleSet", RuleSetName=found["ReceiptRuleSetName"])
    assert [rule["Name"] for rule in rules["Rules"]] == ["webordinary-it-inbound", "webordinary-it-replies"]

    stack = await cfn.update(
        TEMPLATE, Capabilities=["CAPABILITY_IAM"], parameters={"IdleSeconds": "90"}, tags={"run": "2"}
    )
    assert (stack["StackStatus"], outputs(stack)["IdleSeconds"]) == ("UPDATE_COMPLETE", "90")
    definition = await cfn.aws.call("ecs", "DescribeTaskDefinition", taskDefinition="webordinary-it-hermes")
    environment = definition["taskDefinition"]["containerDefinitions"][0]["environment"]
    assert {"name": "IDLE_SECONDS", "value": "90"} in environment

    stack = await cfn.delete()
    assert (stack["StackStatus"], stack.get("StackStatusReason")) == ("DELETE_COMPLETE", None)
    assert await leftovers(cfn) == {}


async def leftovers(cfn: Stacks) -> dict[str, list[Any]]:
    """What is still there of each kind, of a stack that made some of each."""
    kinds: dict[tuple[str, str, str], dict[str, Any]] = {
        ("ecs", "ListServices", "serviceArns"): {"cluster": "webordinary-it-edit-cluster"},
        ("sqs", "ListQueues", "QueueUrls"): {},
        ("sns", "ListTopics", "Topics"): {},
        ("sns", "ListSubscriptions", "Subscriptions"): {},
        ("dynamodb", "ListTables", "TableNames"): {},
        ("efs", "DescribeFileSystems", "FileSystems"): {},
        ("efs", "DescribeAccessPoints", "AccessPoints"): {},
        ("elbv2", "DescribeLoadBalancers", "LoadBalancers"): {},
        ("elbv2", "DescribeTargetGroups", "TargetGroups"): {},
        ("ses", "ListReceiptRuleSets", "RuleSets"): {},
        ("sesv2", "ListEmailIdentities", "EmailIdentities"): {},
        ("cloudwatch", "DescribeAlarms", "MetricAlarms"): {},
        ("cloudwatch", "ListDashboards", "DashboardEntries"): {},
        ("logs", "DescribeLogGroups", "logGroups"): {},
        ("iam", "ListRoles", "Roles"): {},
        ("application-autoscaling", "DescribeScalableTargets", "ScalableTargets"): {"ServiceNamespace": "ecs"},
        ("application-autoscaling", "DescribeScalingPolicies", "ScalingPolicies"): {"ServiceNamespace": "ecs"},
        ("ec2", "DescribeVpcs", "Vpcs"): {"Filters": [{"Name": "is-default", "Values": ["false"]}]},
        ("ec2", "DescribeInternetGateways", "InternetGateways"): {},
    }
    left = {}
    for (service, operation, key), params in kinds.items():
        try:
            found = (await cfn.aws.call(service, operation, **params)).get(key, [])
        except Exception as error:
            found = [] if "ClusterNotFound" in str(error) else [error]
        if found:
            left[f"{service}:{operation}"] = found
    return left
