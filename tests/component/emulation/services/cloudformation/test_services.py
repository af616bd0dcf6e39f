"""AWS::ECS and AWS::ApplicationAutoScaling resources: a service's stack is done when its tasks have followed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.ecs import eventually
from tests.support.stacks import Stacks, whole_cloud
from webordinary_testkit.emulation.core.errors import AwsError

RUN = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"

TEMPLATE = """
Parameters: {Image: {Type: String, Default: "app:1"}, Count: {Type: Number, Default: 0}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: tasks, VpcId: !Ref Vpc}}
  Cluster:
    Type: AWS::ECS::Cluster
    Properties: {ClusterName: apps, ClusterSettings: [{Name: containerInsights, Value: disabled}]}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: app
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: 256
      Memory: 512
      ContainerDefinitions:
        - Name: app
          Image: !Ref Image
          Essential: true
          StopTimeout: "2"
          Environment: [{Name: CLUSTER, Value: !Ref Cluster}]
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: app
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      LaunchType: FARGATE
      DesiredCount: !Ref Count
      DeploymentConfiguration: {MinimumHealthyPercent: 0, MaximumPercent: 200}
      NetworkConfiguration: {AwsvpcConfiguration: {Subnets: [!Ref Subnet], SecurityGroups: [!Ref Group]}}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: !Sub "service/${Cluster}/${Service.Name}"
      MinCapacity: 0
      MaxCapacity: 3
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: up
      PolicyType: StepScaling
      ScalingTargetId: !Ref Target
      StepScalingPolicyConfiguration:
        AdjustmentType: ExactCapacity
        Cooldown: 0
        StepAdjustments: [{MetricIntervalLowerBound: 0, ScalingAdjustment: 1}]
Outputs:
  Cluster: {Value: !Ref Cluster}
  Task: {Value: !Ref Task}
  Service: {Value: !Ref Service}
  Name: {Value: !GetAtt Service.Name}
  Target: {Value: !Ref Target}
  Policy: {Value: !Ref Policy}
"""


@pytest_asyncio.fixture
async def cfn() -> AsyncIterator[Stacks]:
    run = [sys.executable, "-I", "-S", "-c", RUN]
    async with whole_cloud({"app:1": run, "app:2": run}) as each:
        yield each


async def service(cfn: Stacks) -> dict[str, Any]:
    found: dict[str, Any] = (await cfn.aws.call("ecs", "DescribeServices", cluster="apps", services=["app"]))[
        "services"
    ][0]
    return found


async def test_a_service_without_tasks_is_there_at_once(cfn: Stacks) -> None:
    found = await cfn.made(TEMPLATE)
    assert found["Cluster"] == "apps"
    assert found["Task"] == "arn:aws:ecs:us-west-2:123456789012:task-definition/app:1"
    assert found["Service"] == "arn:aws:ecs:us-west-2:123456789012:service/apps/app"
    assert found["Name"] == "app"
    assert found["Target"] == "service/apps/app|ecs:service:DesiredCount|ecs"
    described = await service(cfn)
    assert (described["desiredCount"], described["runningCount"]) == (0, 0)
    policies = await cfn.aws.call("application-autoscaling", "DescribeScalingPolicies", ServiceNamespace="ecs")
    assert [each["PolicyARN"] for each in policies["ScalingPolicies"]] == [found["Policy"]]


async def test_a_service_is_complete_when_its_tasks_run(cfn: Stacks) -> None:
    await cfn.made(TEMPLATE, parameters={"Count": "2"})
    described = await service(cfn)
    assert (described["desiredCount"], described["runningCount"], len(described["deployments"])) == (2, 2, 1)


async def test_a_new_image_is_a_new_revision_that_is_rolled_out_before_the_old_one_goes(cfn: Stacks) -> None:
    before = await cfn.made(TEMPLATE, parameters={"Count": "1"})
    after = await cfn.changed(TEMPLATE, parameters={"Image": "app:2", "Count": "1"})
    assert (after["Service"], after["Task"]) == (before["Service"], before["Task"].replace("app:1", "app:2"))
    described = await service(cfn)
    assert described["taskDefinition"] == after["Task"]
    assert (described["runningCount"], len(described["deployments"])) == (1, 1)
    old = await cfn.aws.call("ecs", "DescribeTaskDefinition", taskDefinition=before["Task"])
    assert old["taskDefinition"]["status"] == "INACTIVE"


async def test_every_update_of_a_service_sets_the_templates_number_again(cfn: Stacks) -> None:
    await cfn.made(TEMPLATE)
    await cfn.changed(TEMPLATE, parameters={"Count": "1"})
    await cfn.aws.call("ecs", "UpdateService", cluster="apps", service="app", desiredCount=2)
    await cfn.changed(TEMPLATE, parameters={"Count": "1", "Image": "app:2"})
    assert (await service(cfn))["desiredCount"] == 1


async def test_an_update_leaves_the_number_that_auto_scaling_chose_where_the_template_has_none(cfn: Stacks) -> None:
    without = TEMPLATE.replace("      DesiredCount: !Ref Count\n", "")
    assert without != TEMPLATE
    await cfn.made(without)
    await cfn.aws.call("ecs", "UpdateService", cluster="apps", service="app", desiredCount=2)
    await cfn.changed(without, parameters={"Image": "app:2"})
    assert (await service(cfn))["desiredCount"] == 2


async def test_scaling_settings_change_in_place(cfn: Stacks) -> None:
    before = await cfn.made(TEMPLATE)
    changed = TEMPLATE.replace("MaxCapacity: 3", "MaxCapacity: 5").replace(
        "ScalingAdjustment: 1", "ScalingAdjustment: 2"
    )
    assert await cfn.changed(changed) == before
    call = cfn.aws.call
    targets = await call("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")
    assert targets["ScalableTargets"][0]["MaxCapacity"] == 5
    policies = await call("application-autoscaling", "DescribeScalingPolicies", ServiceNamespace="ecs")
    steps = policies["ScalingPolicies"][0]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert steps[0]["ScalingAdjustment"] == 2


async def test_deleting_ends_the_tasks_first(cfn: Stacks) -> None:
    await cfn.made(TEMPLATE, parameters={"Count": "2"})
    tasks = (await cfn.aws.call("ecs", "ListTasks", cluster="apps"))["taskArns"]
    await cfn.gone()
    with pytest.raises(AwsError, match="Cluster not found"):
        await cfn.aws.call("ecs", "ListTasks", cluster="apps")
    assert len(tasks) == 2


async def test_a_stack_whose_service_never_comes_up_can_be_deleted(cfn: Stacks) -> None:
    params = [
        {"ParameterKey": "Image", "ParameterValue": "no-such-image"},
        {"ParameterKey": "Count", "ParameterValue": "1"},
    ]
    await cfn.call("CreateStack", StackName="test", TemplateBody=TEMPLATE, Parameters=params)

    async def begun() -> bool:
        return any(name == "Service" for name, _, _ in await cfn.events())

    await eventually(begun)
    await cfn.gone()


async def test_a_circuit_breaker_fails_the_stack_and_rolls_it_back(cfn: Stacks) -> None:
    breaker = "DeploymentConfiguration: {DeploymentCircuitBreaker: {Enable: true, Rollback: false}, "
    body = TEMPLATE.replace("DeploymentConfiguration: {", breaker)
    stack = await cfn.create(body, parameters={"Image": "no-such-image", "Count": "1"})
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    ((name, reason), *_) = await cfn.failures()
    assert name == "Service"
    assert "ECS Deployment Circuit Breaker was triggered" in reason
