"""What RegisterTaskDefinition refuses and fills in."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ecs.api.fargate import check_size, cpu_units, memory_mib
from webordinary_testkit.emulation.services.ecs.api.task_definition_rules import validated

LOGS = {"awslogs-group": "/g", "awslogs-region": "us-west-2", "awslogs-stream-prefix": "p"}
CHECK = {"command": ["CMD-SHELL", "true"]}


def definition(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    usual = [{"name": "a", "image": "i", **each} for each in containers or ({},)]
    return {
        "family": "f",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/r",
        "containerDefinitions": usual,
        **changes,
    }


def volume(**efs: Any) -> list[dict[str, Any]]:
    return [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", **efs}}]


def test_defaults_are_filled_in() -> None:
    raw = validated(definition({"portMappings": [{"containerPort": 80}]}, cpu=".25 vCPU", memory="0.5 GB"))
    container = raw["containerDefinitions"][0]
    assert (raw["cpu"], raw["memory"], raw["volumes"], raw["placementConstraints"]) == ("256", "512", [], [])
    assert container["essential"] is True
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (definition({"name": ""}), "Container.name should not be null or empty."),
        (definition({"name": "a b"}), "Container.name contains invalid characters."),
        (definition({"image": ""}), "Container.image should not be null or empty."),
        (definition({}, {}), "names must be unique"),
        (definition({"essential": False}), "at least one essential container"),
        (definition(cpu=""), "Fargate requires that 'cpu' be defined at the task level."),
        (definition(cpu="256.5"), "'256.5' is no valid value"),
        (definition(memory="lots"), "'lots' is no valid value"),
        (definition({"stopTimeout": 121}), "Fargate allows 120 seconds"),
        (definition({"memory": 1024}), "must not be above the task's memory"),
        (definition({"portMappings": [{"containerPort": 80, "hostPort": 81}]}), "host ports and container ports"),
        (definition({"portMappings": [{"containerPort": 70_000}]}), "between 1 and 65535"),
        (definition({"healthCheck": {"command": ["true"]}}), "begins with CMD or CMD-SHELL"),
        (definition({"healthCheck": {**CHECK, "interval": 1}}), "interval of container 'a' must be between 5 and 300"),
        (definition({"logConfiguration": {"logDriver": "awslogs"}}), "Log driver awslogs requires options"),
        (definition({"logConfiguration": {"logDriver": "splunk"}}), "log driver splunk of container a"),
        (definition({"environmentFiles": [{"value": "arn:s3", "type": "s3"}]}), "environmentFiles of container a"),
        (
            definition({"dependsOn": [{"containerName": "b", "condition": "START"}]}),
            "which is no container of the task",
        ),
        (
            definition({}, {"name": "b", "dependsOn": [{"containerName": "a", "condition": "COMPLETE"}]}),
            "'a' is essential: others cannot depend on its COMPLETE",
        ),
        (
            definition({}, {"name": "b", "dependsOn": [{"containerName": "a", "condition": "HEALTHY"}]}),
            "'a' has no health check",
        ),
        (
            definition(
                {"dependsOn": [{"containerName": "b", "condition": "START"}]},
                {"name": "b", "dependsOn": [{"containerName": "a", "condition": "START"}]},
            ),
            "Dependency cycle between containers: a -> b -> a.",
        ),
        (
            definition(volumes=volume(authorizationConfig={"accessPointId": "fsap-1"})),
            "EFS transit encryption must be enabled",
        ),
        (
            definition(
                volumes=volume(
                    authorizationConfig={"accessPointId": "fsap-1"}, transitEncryption="ENABLED", rootDirectory="/x"
                )
            ),
            "root directory '/'",
        ),
        (definition(volumes=[{"name": "v", "host": {"sourcePath": "/etc"}}]), "host.sourcePath should not be set"),
        (definition({"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}]}), "Unknown volume 'v'"),
    ],
)
def test_definitions_that_are_refused(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError) as caught:
        validated(raw)
    assert message in caught.value.message


def test_an_awslogs_container_is_taken_with_all_options() -> None:
    logs = {"logConfiguration": {"logDriver": "awslogs", "options": LOGS}}
    assert validated(definition(logs))["containerDefinitions"][0]["logConfiguration"]["options"] == LOGS


@pytest.mark.parametrize(("cpu", "memory"), [(256, 512), (1024, 8192), (4096, 30_720), (16_384, 122_880)])
def test_sizes_that_fargate_offers(cpu: int, memory: int) -> None:
    check_size(cpu, memory)


@pytest.mark.parametrize(("cpu", "memory"), [(256, 4096), (1024, 1024), (8192, 17_408), (100, 512)])
def test_sizes_that_fargate_does_not_offer(cpu: int, memory: int) -> None:
    with pytest.raises(AwsError, match="No Fargate configuration exists for given values"):
        check_size(cpu, memory)


def test_the_ways_to_write_a_size() -> None:
    assert [cpu_units(text) for text in ("256", ".25 vCPU", "1 vcpu", "0.5vCPU")] == [256, 256, 1024, 512]
    assert [memory_mib(text) for text in ("512", "0.5 GB", "2GB")] == [512, 512, 2048]
