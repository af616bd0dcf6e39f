"""Where the tags of each service are: listed by the calls anybody would make. One function a service.

Roles, dashboards, receipt rules and rule sets, and instance-less odds and ends have no tags there, on AWS neither:
who looks for leftovers has to list those by their own services.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .tagged import Tagged, mapping


@dataclass(frozen=True)
class Place:
    """What ARNs are made of where a service's answers have none."""

    aws: Aws
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    async def all(self, service: str, operation: str, key: str, /, **params: Any) -> list[Any]:
        """Every page of a listing."""
        found: list[Any] = []
        while True:
            answer = await self.aws.call(service, operation, **params)
            found += answer.get(key, [])
            token = next((name for name in _TOKENS if answer.get(name)), None)
            if token is None:
                return found
            params[_TOKENS[token]] = answer[token]


_TOKENS = {
    "NextToken": "NextToken",
    "nextToken": "nextToken",
    "NextMarker": "Marker",
    "LastEvaluatedTableName": "ExclusiveStartTableName",
}
"""How the next page is announced, and asked for."""

Source = Callable[[Place], AsyncIterator[Tagged]]


async def stacks(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("cloudformation", "DescribeStacks", "Stacks"):
        yield Tagged(each["StackId"], mapping(each.get("Tags", [])))


async def ecs(place: Place) -> AsyncIterator[Tagged]:
    """Also task definitions that were deregistered: they stay, with their tags."""
    clusters = await place.all("ecs", "ListClusters", "clusterArns")
    for cluster in clusters:
        found = await place.aws.call("ecs", "DescribeClusters", clusters=[cluster], include=["TAGS"])
        for each in found["clusters"]:
            yield Tagged(each["clusterArn"], mapping(each.get("tags", [])))
        services = await place.all("ecs", "ListServices", "serviceArns", cluster=cluster)
        for names in _tens(services, 10):
            described = await place.aws.call(
                "ecs", "DescribeServices", cluster=cluster, services=names, include=["TAGS"]
            )
            for each in described["services"]:
                yield Tagged(each["serviceArn"], mapping(each.get("tags", [])))
        tasks = await place.all("ecs", "ListTasks", "taskArns", cluster=cluster)
        for names in _tens(tasks, 100):
            described = await place.aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=names, include=["TAGS"])
            for each in described["tasks"]:
                yield Tagged(each["taskArn"], mapping(each.get("tags", [])))
    for status in ("ACTIVE", "INACTIVE"):
        for arn in await place.all("ecs", "ListTaskDefinitions", "taskDefinitionArns", status=status):
            answer = await place.aws.call("ecs", "ListTagsForResource", resourceArn=arn)
            yield Tagged(arn, mapping(answer.get("tags", [])))


async def balancers(place: Place) -> AsyncIterator[Tagged]:
    arns = [each["TargetGroupArn"] for each in await place.all("elbv2", "DescribeTargetGroups", "TargetGroups")]
    for balancer in await place.all("elbv2", "DescribeLoadBalancers", "LoadBalancers"):
        arns.append(balancer["LoadBalancerArn"])
        for listener in await place.all(
            "elbv2", "DescribeListeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"]
        ):
            arns.append(listener["ListenerArn"])
            rules = await place.aws.call("elbv2", "DescribeRules", ListenerArn=listener["ListenerArn"])
            arns += [rule["RuleArn"] for rule in rules["Rules"] if not rule.get("IsDefault")]
    for some in _tens(arns, 20):
        answer = await place.aws.call("elbv2", "DescribeTags", ResourceArns=some)
        for each in answer["TagDescriptions"]:
            yield Tagged(each["ResourceArn"], mapping(each.get("Tags", [])))


async def ec2(place: Place) -> AsyncIterator[Tagged]:
    """By what there is: the base keeps the tags of what was deleted."""
    for operation, listed, id, kind in _EC2:
        for each in await place.all("ec2", operation, listed):
            yield Tagged(place.arn("ec2", f"{kind}/{each[id]}"), mapping(each.get("Tags", each.get("TagSet", []))))


_EC2 = (
    ("DescribeVpcs", "Vpcs", "VpcId", "vpc"),
    ("DescribeSubnets", "Subnets", "SubnetId", "subnet"),
    ("DescribeSecurityGroups", "SecurityGroups", "GroupId", "security-group"),
    ("DescribeInternetGateways", "InternetGateways", "InternetGatewayId", "internet-gateway"),
    ("DescribeRouteTables", "RouteTables", "RouteTableId", "route-table"),
    ("DescribeNetworkAcls", "NetworkAcls", "NetworkAclId", "network-acl"),
    ("DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId", "network-interface"),
    ("DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId", "vpc-endpoint"),
    ("DescribeNatGateways", "NatGateways", "NatGatewayId", "natgateway"),
)


async def tables(place: Place) -> AsyncIterator[Tagged]:
    for name in await place.all("dynamodb", "ListTables", "TableNames"):
        arn = place.arn("dynamodb", f"table/{name}")
        answer = await place.aws.call("dynamodb", "ListTagsOfResource", ResourceArn=arn)
        yield Tagged(arn, mapping(answer.get("Tags", [])))


async def queues(place: Place) -> AsyncIterator[Tagged]:
    for url in await place.all("sqs", "ListQueues", "QueueUrls"):
        answer = await place.aws.call("sqs", "ListQueueTags", QueueUrl=url)
        yield Tagged(place.arn("sqs", url.rpartition("/")[2]), answer.get("Tags", {}))


async def topics(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("sns", "ListTopics", "Topics"):
        answer = await place.aws.call("sns", "ListTagsForResource", ResourceArn=each["TopicArn"])
        yield Tagged(each["TopicArn"], mapping(answer.get("Tags", [])))


async def buckets(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("s3", "ListBuckets", "Buckets"):
        try:
            answer = await place.aws.call("s3", "GetBucketTagging", Bucket=each["Name"])
        except AwsError as error:
            if error.code != "NoSuchTagSet":
                raise
            continue
        yield Tagged(f"arn:aws:s3:::{each['Name']}", mapping(answer["TagSet"]))


async def log_groups(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("logs", "DescribeLogGroups", "logGroups"):
        arn = each["arn"].removesuffix(":*")
        answer = await place.aws.call("logs", "ListTagsForResource", resourceArn=arn)
        yield Tagged(arn, answer.get("tags", {}))


async def file_systems(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("efs", "DescribeFileSystems", "FileSystems"):
        arn = each.get("FileSystemArn") or place.arn("elasticfilesystem", f"file-system/{each['FileSystemId']}")
        yield Tagged(arn, mapping(each.get("Tags", [])))
    for each in await place.all("efs", "DescribeAccessPoints", "AccessPoints"):
        yield Tagged(each["AccessPointArn"], mapping(each.get("Tags", [])))


async def alarms(place: Place) -> AsyncIterator[Tagged]:
    answer = await place.aws.call("cloudwatch", "DescribeAlarms", MaxRecords=100)
    found = list(answer.get("MetricAlarms", [])) + list(answer.get("CompositeAlarms", []))
    while answer.get("NextToken"):
        answer = await place.aws.call("cloudwatch", "DescribeAlarms", MaxRecords=100, NextToken=answer["NextToken"])
        found += list(answer.get("MetricAlarms", [])) + list(answer.get("CompositeAlarms", []))
    for each in found:
        tags = await place.aws.call("cloudwatch", "ListTagsForResource", ResourceARN=each["AlarmArn"])
        yield Tagged(each["AlarmArn"], mapping(tags.get("Tags", [])))


async def scalable_targets(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all(
        "application-autoscaling", "DescribeScalableTargets", "ScalableTargets", ServiceNamespace="ecs"
    ):
        arn = each["ScalableTargetARN"]
        answer = await place.aws.call("application-autoscaling", "ListTagsForResource", ResourceARN=arn)
        yield Tagged(arn, answer.get("Tags", {}))


async def identities(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("sesv2", "ListEmailIdentities", "EmailIdentities"):
        arn = place.arn("ses", f"identity/{each['IdentityName']}")
        answer = await place.aws.call("sesv2", "ListTagsForResource", ResourceArn=arn)
        yield Tagged(arn, mapping(answer.get("Tags", [])))


async def secrets(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("secretsmanager", "ListSecrets", "SecretList"):
        yield Tagged(each["ARN"], mapping(each.get("Tags", [])))


async def parameters(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("ssm", "DescribeParameters", "Parameters"):
        name = each["Name"]
        answer = await place.aws.call("ssm", "ListTagsForResource", ResourceType="Parameter", ResourceId=name)
        yield Tagged(place.arn("ssm", f"parameter/{name.lstrip('/')}"), mapping(answer.get("TagList", [])))


async def repositories(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("ecr", "DescribeRepositories", "repositories"):
        answer = await place.aws.call("ecr", "ListTagsForResource", resourceArn=each["repositoryArn"])
        yield Tagged(each["repositoryArn"], mapping(answer.get("tags", [])))


async def certificates(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("acm", "ListCertificates", "CertificateSummaryList"):
        arn = each["CertificateArn"]
        answer = await place.aws.call("acm", "ListTagsForCertificate", CertificateArn=arn)
        yield Tagged(arn, mapping(answer.get("Tags", [])))


async def experiments(place: Place) -> AsyncIterator[Tagged]:
    for each in await place.all("fis", "ListExperimentTemplates", "experimentTemplates"):
        yield Tagged(each["arn"], each.get("tags", {}))
    for each in await place.all("fis", "ListExperiments", "experiments"):
        yield Tagged(each["arn"], each.get("tags", {}))


def _tens(items: list[Any], most: int) -> list[list[Any]]:
    return [items[at : at + most] for at in range(0, len(items), most)]


SOURCES: Mapping[str, Source] = {
    "acm": certificates,
    "application-autoscaling": scalable_targets,
    "cloudformation": stacks,
    "cloudwatch": alarms,
    "dynamodb": tables,
    "ec2": ec2,
    "ecr": repositories,
    "ecs": ecs,
    "elasticfilesystem": file_systems,
    "elasticloadbalancing": balancers,
    "fis": experiments,
    "logs": log_groups,
    "s3": buckets,
    "secretsmanager": secrets,
    "ses": identities,
    "sns": topics,
    "sqs": queues,
    "ssm": parameters,
}
"""By the service as ARNs name it."""
