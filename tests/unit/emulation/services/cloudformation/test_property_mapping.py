"""From CloudFormation's spelling to the API's, by botocore's model."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.services.cloudformation.errors import PropertyError
from webordinary_testkit.emulation.services.cloudformation.property_mapping import to_parameters


@pytest.mark.parametrize(
    ("service", "operation", "properties", "expected"),
    [
        (
            "ecs",
            "RegisterTaskDefinition",
            {
                "Cpu": 256,
                "RequiresCompatibilities": ["FARGATE"],
                "Volumes": [
                    {
                        "Name": "w",
                        "EFSVolumeConfiguration": {"FilesystemId": "fs-1", "AuthorizationConfig": {"IAM": "ENABLED"}},
                    }
                ],
                "ContainerDefinitions": [
                    {
                        "Essential": "true",
                        "StopTimeout": "30",
                        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-create-group": True}},
                        "DockerLabels": {"Some.Label": 1},
                    }
                ],
            },
            {
                "cpu": "256",
                "requiresCompatibilities": ["FARGATE"],
                "volumes": [
                    {
                        "name": "w",
                        "efsVolumeConfiguration": {"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}},
                    }
                ],
                "containerDefinitions": [
                    {
                        "essential": True,
                        "stopTimeout": 30,
                        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-create-group": "true"}},
                        "dockerLabels": {"Some.Label": "1"},
                    }
                ],
            },
        ),
        (
            "logs",
            "PutRetentionPolicy",
            {"LogGroupName": "g", "RetentionInDays": "7"},
            {"logGroupName": "g", "retentionInDays": 7},
        ),
        ("efs", "CreateAccessPoint", {"PosixUser": {"Uid": "1000", "Gid": 0}}, {"PosixUser": {"Uid": 1000, "Gid": 0}}),
        ("cloudwatch", "PutMetricAlarm", {"Threshold": "0.5", "Period": 10.0}, {"Threshold": 0.5, "Period": 10}),
        ("dynamodb", "CreateTable", {"TableName": "t"}, {"TableName": "t"}),
    ],
)
def test_names_and_types_become_the_apis(service: str, operation: str, properties: Any, expected: Any) -> None:
    found = to_parameters(service, operation, properties)
    assert found == expected


def test_a_property_with_another_name_is_renamed_at_any_depth() -> None:
    properties = {"SSESpecification": {"SSEEnabled": "true"}}
    found = to_parameters("dynamodb", "CreateTable", properties, {"SSEEnabled": "Enabled"})
    assert found == {"SSESpecification": {"Enabled": True}}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Foo": 1}, "Encountered unsupported property Foo"),
        ({"ContainerDefinitions": [{"Imagine": "x"}]}, "unsupported property ContainerDefinitions/0/Imagine"),
        ({"ContainerDefinitions": {"Image": "x"}}, "property ContainerDefinitions must be of type List"),
        ({"ContainerDefinitions": ["x"]}, "property ContainerDefinitions/0 must be an object"),
        ({"ContainerDefinitions": [{"Cpu": "many"}]}, "ContainerDefinitions/0/Cpu must be of type Integer, got 'many'"),
        ({"ContainerDefinitions": [{"Essential": "maybe"}]}, "must be of type Boolean"),
        ({"Family": ["a"]}, "property Family must be of type String"),
        ({"Family": {"Ref": "a"}}, "property Family must be of type String"),
    ],
)
def test_what_does_not_fit_is_named(properties: Any, message: str) -> None:
    with pytest.raises(PropertyError, match=message):
        to_parameters("ecs", "RegisterTaskDefinition", properties)
