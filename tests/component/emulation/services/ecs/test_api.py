"""What ECS refuses, and how it answers, as boto3 sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.ecs import DEAF, ROLE, UNTIL_STOPPED, EcsWorld, ecs_world, eventually

GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup"
UNKNOWN = "0123456789abcdef0123456789abcdef"


@pytest_asyncio.fixture
async def w() -> AsyncIterator[EcsWorld]:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as it:
        await it.register("app", {"portMappings": [{"containerPort": 80}]}, image="app:1")
        yield it


async def refusal(w: EcsWorld, operation: str, **params: Any) -> tuple[str, str]:
    """(code, message) of the error a call is answered with."""
    with pytest.raises(ClientError) as caught:
        await w.call(operation, **params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


INVALID = "InvalidParameterException"
MISSING_CLUSTER = ("ClusterNotFoundException", "Cluster not found.")


async def test_tasks_that_cannot_be_described(w: EcsWorld) -> None:
    assert await refusal(w, "describe_tasks", tasks=[]) == (INVALID, "Tasks cannot be empty.")
    assert (await refusal(w, "describe_tasks", tasks=[UNKNOWN] * 101))[0] == INVALID
    assert await refusal(w, "describe_tasks", tasks=["abc"]) == (INVALID, "taskId length should be one of [32,36]")
    assert await refusal(w, "describe_tasks", cluster="other", tasks=[UNKNOWN]) == MISSING_CLUSTER
    elsewhere = f"arn:aws:ecs:us-west-2:123456789012:task/other/{UNKNOWN}"
    code, message = await refusal(w, "describe_tasks", tasks=[elsewhere])
    assert (code, message) == (INVALID, "Invalid identifier: Identifier is for cluster other. Your cluster is test")


async def test_an_unknown_task_is_missing(w: EcsWorld) -> None:
    answer = await w.call("describe_tasks", tasks=[UNKNOWN])
    arn = f"arn:aws:ecs:us-west-2:123456789012:task/test/{UNKNOWN}"
    assert (answer["tasks"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])


async def test_services_that_cannot_be_described(w: EcsWorld) -> None:
    assert await refusal(w, "describe_services", services=[]) == (INVALID, "Services cannot be empty.")
    assert (await refusal(w, "describe_services", services=["s"] * 11))[0] == INVALID
    answer = await w.call("describe_services", services=["nobody"])
    arn = "arn:aws:ecs:us-west-2:123456789012:service/test/nobody"
    assert (answer["services"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])


async def test_a_service_is_made_once(w: EcsWorld) -> None:
    first = await w.create_service("app", count=0, clientToken="once")
    again = await w.create_service("app", count=0, clientToken="once")
    assert again["deployments"][0]["id"] == first["deployments"][0]["id"]
    code, message = await refusal(
        w,
        "create_service",
        serviceName="app",
        taskDefinition="app",
        launchType="FARGATE",
        networkConfiguration=w.network,
    )
    assert (code, message) == (INVALID, "Creation of service was not idempotent.")


async def test_services_that_are_not_there_cannot_be_changed(w: EcsWorld) -> None:
    missing = ("ServiceNotFoundException", "Service not found.")
    assert await refusal(w, "update_service", service="nobody", desiredCount=1) == missing
    assert await refusal(w, "delete_service", service="nobody") == missing
    assert await refusal(w, "list_tasks", serviceName="nobody") == missing
    await w.create_service("app", count=0)
    await w.call("delete_service", service="app")
    gone = ("ServiceNotActiveException", "Service was not ACTIVE.")
    assert await refusal(w, "update_service", service="app", desiredCount=1) == gone


async def test_a_service_with_tasks_is_not_deleted_without_force(w: EcsWorld) -> None:
    await w.create_service("app", count=1)
    refused = (INVALID, "The service cannot be stopped while it is scaled above 0.")
    assert await refusal(w, "delete_service", service="app") == refused


async def test_a_service_still_draining_can_be_deleted_again_but_not_made_again() -> None:
    async with ecs_world({"app:1": DEAF}) as w:
        await w.register("app", image="app:1")
        await w.create_service("app", count=1)
        await w.stable("app")
        task = await w.running((await w.call("list_tasks"))["taskArns"][0])
        await eventually(lambda: w.log(task))  # deaf from here on
        await w.call("delete_service", service="app", force=True)
        again = await w.call("delete_service", service="app")
        code, message = await refusal(
            w,
            "create_service",
            serviceName="app",
            taskDefinition="app",
            launchType="FARGATE",
            networkConfiguration=w.network,
        )
    assert again["service"]["status"] == "DRAINING"
    assert (code, message) == (INVALID, "Unable to Start a service that is still Draining.")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"taskDefinition": "nobody"}, "ClientException", "TaskDefinition not found."),
        ({"networkConfiguration": {}}, INVALID, "Network Configuration must be provided when networkMode 'awsvpc'"),
        ({"desiredCount": -1}, INVALID, "desired count cannot be negative"),
        (
            {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}},
            INVALID,
            "block deployments",
        ),
        ({"platformVersion": "0.9"}, "PlatformUnknownException", "The specified platform version does not exist."),
        ({"serviceName": "no spaces"}, INVALID, "letters, numbers, hyphens and underscores"),
        ({"serviceRegistries": [{"registryArn": "arn:x"}]}, "NotImplemented", "serviceRegistries is not emulated"),
        ({"launchType": "EXTERNAL"}, INVALID, "Task definition does not support launch_type EXTERNAL."),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"]}}},
            INVALID,
            "Error retrieving subnet information for [subnet-00000000000000000]: ",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": f"{GROUP}/a/1", "containerName": "x", "containerPort": 80}]},
            INVALID,
            "The container x does not exist in the task definition.",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": f"{GROUP}/a/1", "containerName": "app", "containerPort": 81}]},
            INVALID,
            "The container app did not have a container port 81 defined.",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": f"{GROUP}/orphan/1", "containerName": "app", "containerPort": 80}]},
            INVALID,
            f"The target group with targetGroupArn {GROUP}/orphan/1 does not have an associated load balancer.",
        ),
        (
            {"loadBalancers": [{"targetGroupArn": f"{GROUP}/instance/1", "containerName": "app", "containerPort": 80}]},
            INVALID,
            "has target type instance, which is incompatible with the awsvpc network mode",
        ),
    ],
)
async def test_services_that_aws_would_not_make(w: EcsWorld, changes: Any, code: str, message: str) -> None:
    params = {
        "serviceName": "app",
        "taskDefinition": "app",
        "launchType": "FARGATE",
        "networkConfiguration": w.network,
        "desiredCount": 0,
        **changes,
    }
    refused = await refusal(w, "create_service", **params)
    assert refused[0] == code
    assert message in refused[1]


async def test_tasks_that_aws_would_not_run(w: EcsWorld) -> None:
    usual: dict[str, Any] = {"taskDefinition": "app", "launchType": "FARGATE", "networkConfiguration": w.network}
    override = {"containerOverrides": [{"name": "nobody"}]}
    refused = await refusal(w, "run_task", **usual, overrides=override)
    assert refused == (INVALID, "Override for container named nobody is not a container in the TaskDefinition.")
    assert (await refusal(w, "run_task", **usual, count=11))[0] == INVALID
    refused = await refusal(w, "run_task", taskDefinition="app", networkConfiguration=w.network)
    assert refused == (INVALID, "No Container Instances were found in your cluster.")
    assert await refusal(w, "stop_task", task=UNKNOWN) == (INVALID, "The referenced task was not found.")


async def test_one_token_runs_tasks_once(w: EcsWorld) -> None:
    first = await w.run("app", clientToken="once")
    assert (await w.run("app", clientToken="once"))["taskArn"] == first["taskArn"]
    params: dict[str, Any] = {"taskDefinition": "app", "launchType": "FARGATE", "networkConfiguration": w.network}
    assert (await refusal(w, "run_task", **params, clientToken="once", startedBy="other"))[0] == "ConflictException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cpu": "300"}, "No Fargate configuration exists for given values"),
        ({"memory": "4096"}, "No Fargate configuration exists for given values"),
        ({"networkMode": "bridge"}, "Fargate only supports network mode ‘awsvpc’."),
        ({"containerDefinitions": []}, "Container list cannot be empty."),
        ({"family": "no spaces"}, "contains invalid characters"),
    ],
)
async def test_task_definitions_that_aws_would_not_take(w: EcsWorld, changes: Any, message: str) -> None:
    params = {
        "family": "x",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "x", "image": "x"}],
        **changes,
    }
    code, said = await refusal(w, "register_task_definition", **params)
    assert code == "ClientException"
    assert message in said


async def test_an_inactive_task_definition_starts_nothing_new(w: EcsWorld) -> None:
    await w.call("deregister_task_definition", taskDefinition="app:1")
    usual: dict[str, Any] = {"launchType": "FARGATE", "networkConfiguration": w.network}
    inactive = ("ClientException", "TaskDefinition is inactive")
    assert await refusal(w, "run_task", taskDefinition="app:1", **usual) == inactive
    assert await refusal(w, "create_service", serviceName="s", taskDefinition="app:1", **usual) == inactive
    described = (await w.call("describe_task_definition", taskDefinition="app:1"))["taskDefinition"]
    assert described["status"] == "INACTIVE"


async def test_task_definitions_are_kept_by_revision(w: EcsWorld) -> None:
    second = await w.register("app", image="app:2")
    newest = (await w.call("describe_task_definition", taskDefinition="app"))["taskDefinition"]
    listed = (await w.call("list_task_definitions", familyPrefix="app", sort="DESC"))["taskDefinitionArns"]
    families = (await w.call("list_task_definition_families", status="ACTIVE"))["families"]
    assert (newest["taskDefinitionArn"], newest["revision"]) == (second, 2)
    assert newest["containerDefinitions"][0]["essential"] is True
    assert newest["compatibilities"] == ["EC2", "FARGATE"]
    assert [arn.rpartition(":")[2] for arn in listed] == ["2", "1"]
    assert families == ["app"]
    assert await refusal(w, "describe_task_definition", taskDefinition="app:3") == (
        "ClientException",
        "Unable to describe task definition.",
    )


async def test_only_inactive_task_definitions_are_deleted(w: EcsWorld) -> None:
    active = await w.call("delete_task_definitions", taskDefinitions=["app:1"])
    await w.call("deregister_task_definition", taskDefinition="app:1")
    inactive = await w.call("delete_task_definitions", taskDefinitions=["app:1"])
    assert "still in ACTIVE status" in active["failures"][0]["reason"]
    assert inactive["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"


async def test_a_cluster_with_something_in_it_is_not_deleted(w: EcsWorld) -> None:
    await w.create_service("app", count=1)
    await w.stable("app")
    assert (await refusal(w, "delete_cluster", cluster="test"))[0] == "ClusterContainsServicesException"
    await w.call("delete_service", service="app", force=True)
    await w.wait("services_inactive", services=["app"])
    task = await w.running((await w.run("app"))["taskArn"])
    assert (await refusal(w, "delete_cluster", cluster="test"))[0] == "ClusterContainsTasksException"
    await w.call("stop_task", task=task["taskArn"])
    await w.stopped(task["taskArn"])
    assert (await w.call("delete_cluster", cluster="test"))["cluster"]["status"] == "INACTIVE"
    assert await refusal(w, "list_tasks") == MISSING_CLUSTER


async def test_clusters_are_described_and_counted(w: EcsWorld) -> None:
    await w.create_service("app", count=2)
    await w.stable("app")
    answer = await w.call("describe_clusters", clusters=["test", "other"], include=["STATISTICS"])
    cluster = answer["clusters"][0]
    assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (2, 1)
    assert {"name": "runningFargateTasksCount", "value": "2"} in cluster["statistics"]
    assert answer["failures"] == [
        {"arn": "arn:aws:ecs:us-west-2:123456789012:cluster/other", "reason": "MISSING"},
    ]
    assert (await w.call("list_container_instances"))["containerInstanceArns"] == []


async def test_lists_come_in_pages(w: EcsWorld) -> None:
    for number in range(12):
        await w.create_service(f"app-{number:02}", count=0, definition="app")
    first = await w.call("list_services")
    second = await w.call("list_services", nextToken=first["nextToken"])
    assert (len(first["serviceArns"]), len(second["serviceArns"])) == (10, 2)
    assert "nextToken" not in second
    assert await refusal(w, "list_services", nextToken="nonsense") == (INVALID, "Invalid token")
    assert (await refusal(w, "list_services", maxResults=101))[0] == INVALID


async def test_tasks_are_listed_by_what_they_are(w: EcsWorld) -> None:
    by_hand = await w.running((await w.run("app", startedBy="me"))["taskArn"])
    await w.create_service("app", count=1)
    await w.stable("app")
    arn = by_hand["taskArn"]
    assert (await w.call("list_tasks", startedBy="me"))["taskArns"] == [arn]
    assert len((await w.call("list_tasks", family="app"))["taskArns"]) == 2
    assert (await w.call("list_tasks", family="other"))["taskArns"] == []
    await w.call("stop_task", task=arn)
    assert arn not in (await w.call("list_tasks"))["taskArns"]
    assert (await w.call("list_tasks", desiredStatus="STOPPED"))["taskArns"] == [arn]


async def test_tags_are_kept(w: EcsWorld) -> None:
    arn = (await w.create_service("app", count=0, tags=[{"key": "a", "value": "1"}]))["serviceArn"]
    await w.call("tag_resource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    await w.call("untag_resource", resourceArn=arn, tagKeys=["a"])
    assert (await w.call("list_tags_for_resource", resourceArn=arn))["tags"] == [{"key": "b", "value": "2"}]
    reserved = [{"key": "aws:x", "value": "1"}]
    assert (await refusal(w, "tag_resource", resourceArn=arn, tags=reserved))[0] == INVALID
    assert (await refusal(w, "list_tags_for_resource", resourceArn=f"{arn}x"))[0] == INVALID


async def test_a_capacity_provider_strategy_needs_the_clusters_consent(w: EcsWorld) -> None:
    params: dict[str, Any] = {
        "taskDefinition": "app",
        "networkConfiguration": w.network,
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    }
    assert "not associated with the cluster" in (await refusal(w, "run_task", **params))[1]
    both = await refusal(w, "run_task", **params, launchType="FARGATE")
    assert both[1].startswith("Specifying both a launch type and capacity provider strategy is not supported.")
    await w.call(
        "put_cluster_capacity_providers",
        cluster="test",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )
    task = (await w.call("run_task", **params))["tasks"][0]
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")


async def test_what_is_not_emulated_says_so_and_never_reaches_the_base(w: EcsWorld) -> None:
    code, message = await refusal(w, "create_task_set", service="s", cluster="test", taskDefinition="app")
    assert code == "NotImplemented"
    assert "ecs:CreateTaskSet is not emulated" in message


async def test_a_fargate_definition_with_awslogs_needs_an_execution_role(w: EcsWorld) -> None:
    with pytest.raises(ClientError, match="execution role ARN to support log driver awslogs"):
        await w.register("x", image="x", executionRoleArn="")
    assert (await w.register("x", image="x", executionRoleArn=ROLE)).endswith("x:1")


async def test_ecs_exec_is_ready_when_it_was_enabled(w: EcsWorld) -> None:
    enabled = await w.running((await w.run("app", enableExecuteCommand=True))["taskArn"])
    plain = await w.running((await w.run("app"))["taskArn"])
    agent = enabled["containers"][0]["managedAgents"][0]
    assert (agent["name"], agent["lastStatus"]) == ("ExecuteCommandAgent", "RUNNING")
    assert "managedAgents" not in plain["containers"][0]
    params = {"task": plain["taskArn"], "command": "ls", "interactive": True}
    code, message = await refusal(w, "execute_command", **params)
    assert code == INVALID
    assert message.startswith("The execute command failed because execute command was not enabled")
    session = await w.call("execute_command", task=enabled["taskArn"], command="ls", interactive=True)
    assert session["containerName"] == "app"


async def test_a_grace_period_needs_a_load_balancer(w: EcsWorld) -> None:
    given = {"serviceName": "grace", "taskDefinition": "app", "healthCheckGracePeriodSeconds": 10, "desiredCount": 0}
    text = "Health check grace period is only valid for services configured to use load balancers"
    assert await refusal(w, "create_service", **given) == (INVALID, text)


async def test_fargate_does_not_share_the_hosts_processes(w: EcsWorld) -> None:
    with pytest.raises(ClientError, match="Fargate launch type do not support pidMode 'host'"):
        await w.register("host", image="app:1", pidMode="host", requiresCompatibilities=["FARGATE"])


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("list_account_settings", {"name": "nope"}, "Value 'nope' at 'name' failed to satisfy constraint"),
        (
            "list_tasks",
            {"launchType": "MOON"},
            "Value 'MOON' at 'launchType' failed to satisfy constraint: Member must",
        ),
    ],
)
async def test_a_value_outside_of_its_enum(w: EcsWorld, operation: str, params: dict[str, str], text: str) -> None:
    code, message = await refusal(w, operation, **params)
    assert code == INVALID and message.startswith(f"1 validation error detected: {text}")
