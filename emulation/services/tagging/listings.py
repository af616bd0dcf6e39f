"""Lists the tagged resources of each service by its own calls.

Not listed, because they have no tags here (nor, mostly, on AWS): roles, dashboards, receipt rules and rule sets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .filters import TaggedResource, tag_mapping


@dataclass(frozen=True)
class AwsAccount:
    """Lists resources, and builds the ARNs that services omit from their answers."""

    aws: Aws
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    async def all(self, service: str, operation: str, key: str, /, **params: Any) -> list[Any]:
        """Every page of a listing."""
        entries: list[Any] = []
        while True:
            answer = await self.aws.call(service, operation, **params)
            entries += answer.get(key, [])
            token = next((name for name in _TOKENS if answer.get(name)), None)
            if token is None:
                return entries
            params[_TOKENS[token]] = answer[token]


_TOKENS = {
    "NextToken": "NextToken",
    "nextToken": "nextToken",
    "NextMarker": "Marker",
    "LastEvaluatedTableName": "ExclusiveStartTableName",
}
"""The member that announces the next page, and the parameter that requests it."""


@dataclass(frozen=True)
class Listing:
    """One kind of resource: the call that lists it, its ARN, and where its tags are."""

    service: str
    operation: str
    entries: str
    """The member of the answer that holds the resources."""
    arn: str | Callable[[Any], str]
    """The member of an entry that holds the ARN, or a function that returns `service:resource` of an entry."""
    tags: str = "Tags"
    tag_call: tuple[str, str] | None = None
    """The operation that lists tags, and its parameter for the resource; None if entries hold their tags."""
    identifier: Callable[[Any], str] | None = None
    """The value of that parameter, if not the ARN."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of the listing, or of `tag_call` if there is one with an `identifier`."""

    async def resources(self, account: AwsAccount) -> AsyncIterator[TaggedResource]:
        for_tags = self.fixed if self.identifier else {}
        for entry in await account.all(self.service, self.operation, self.entries, **({} if for_tags else self.fixed)):
            if callable(self.arn):
                arn = account.arn(*self.arn(entry).split(":", 1))
            else:
                arn = str(entry[self.arn]).removesuffix(":*")
            tagged = entry
            if self.tag_call:
                operation, parameter = self.tag_call
                resource = self.identifier(entry) if self.identifier else arn
                tagged = await account.aws.call(self.service, operation, **{parameter: resource}, **for_tags)
            yield TaggedResource(arn, tag_mapping(tagged.get(self.tags, [])))


def _ec2(operation: str, entries: str, member: str, kind: str, tags: str = "Tags") -> Listing:
    return Listing("ec2", operation, entries, lambda each: f"ec2:{kind}/{each[member]}", tags)


_LIST = "ListTagsForResource"
_BY_UPPER, _BY_CAMEL, _BY_LOWER = (_LIST, "ResourceARN"), (_LIST, "ResourceArn"), (_LIST, "resourceArn")
_CERTIFICATE = ("ListTagsForCertificate", "CertificateArn")
_TARGETS = ("application-autoscaling", "DescribeScalableTargets", "ScalableTargets", "ScalableTargetARN")
LISTINGS: Mapping[str, tuple[Listing, ...]] = {
    "acm": (Listing("acm", "ListCertificates", "CertificateSummaryList", "CertificateArn", tag_call=_CERTIFICATE),),
    "application-autoscaling": (Listing(*_TARGETS, tag_call=_BY_UPPER, fixed={"ServiceNamespace": "ecs"}),),
    "cloudformation": (Listing("cloudformation", "DescribeStacks", "Stacks", "StackId"),),
    "cloudwatch": (
        Listing("cloudwatch", "DescribeAlarms", "MetricAlarms", "AlarmArn", tag_call=_BY_UPPER),
        Listing("cloudwatch", "DescribeAlarms", "CompositeAlarms", "AlarmArn", tag_call=_BY_UPPER),
    ),
    "dynamodb": (
        Listing(
            "dynamodb", "ListTables", "TableNames", lambda name: f"dynamodb:table/{name}",
            tag_call=("ListTagsOfResource", "ResourceArn"),
        ),
    ),
    "ec2": (  # by resource: the state store's DescribeTags keeps the tags of deleted ones
        _ec2("DescribeVpcs", "Vpcs", "VpcId", "vpc"),
        _ec2("DescribeSubnets", "Subnets", "SubnetId", "subnet"),
        _ec2("DescribeSecurityGroups", "SecurityGroups", "GroupId", "security-group"),
        _ec2("DescribeInternetGateways", "InternetGateways", "InternetGatewayId", "internet-gateway"),
        _ec2("DescribeRouteTables", "RouteTables", "RouteTableId", "route-table"),
        _ec2("DescribeNetworkAcls", "NetworkAcls", "NetworkAclId", "network-acl"),
        _ec2("DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId", "network-interface", "TagSet"),
        _ec2("DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId", "vpc-endpoint"),
        _ec2("DescribeNatGateways", "NatGateways", "NatGatewayId", "natgateway"),
    ),
    "ecr": (Listing("ecr", "DescribeRepositories", "repositories", "repositoryArn", "tags", _BY_LOWER),),
    "elasticfilesystem": (
        Listing(
            "efs", "DescribeFileSystems", "FileSystems",
            lambda each: f"elasticfilesystem:file-system/{each['FileSystemId']}",
        ),
        Listing("efs", "DescribeAccessPoints", "AccessPoints", "AccessPointArn"),
    ),
    "fis": (
        Listing("fis", "ListExperimentTemplates", "experimentTemplates", "arn", "tags"),
        Listing("fis", "ListExperiments", "experiments", "arn", "tags"),
    ),
    "lambda": (Listing("lambda", "ListFunctions", "Functions", "FunctionArn", tag_call=("ListTags", "Resource")),),
    "logs": (Listing("logs", "DescribeLogGroups", "logGroups", "arn", "tags", _BY_LOWER),),
    "secretsmanager": (Listing("secretsmanager", "ListSecrets", "SecretList", "ARN"),),
    "ses": (
        Listing(
            "sesv2", "ListEmailIdentities", "EmailIdentities", lambda each: f"ses:identity/{each['IdentityName']}",
            tag_call=_BY_CAMEL,
        ),
    ),
    "sns": (Listing("sns", "ListTopics", "Topics", "TopicArn", tag_call=_BY_CAMEL),),
    "sqs": (
        Listing(
            "sqs", "ListQueues", "QueueUrls", lambda url: f"sqs:{url.rpartition('/')[2]}",
            tag_call=("ListQueueTags", "QueueUrl"), identifier=str,
        ),
    ),
    "ssm": (
        Listing(
            "ssm", "DescribeParameters", "Parameters", lambda each: f"ssm:parameter/{each['Name'].lstrip('/')}",
            "TagList", (_LIST, "ResourceId"), lambda each: str(each["Name"]), {"ResourceType": "Parameter"},
        ),
    ),
}  # fmt: skip
"""By the service's name in ARNs."""


async def _ecs(account: AwsAccount) -> AsyncIterator[TaggedResource]:
    """Includes deregistered task definitions: they remain, with their tags."""
    for cluster in await account.all("ecs", "ListClusters", "clusterArns"):
        answer = await account.aws.call("ecs", "DescribeClusters", clusters=[cluster], include=["TAGS"])
        for each in answer["clusters"]:
            yield TaggedResource(each["clusterArn"], tag_mapping(each.get("tags", [])))
        for kind, size in (("service", 10), ("task", 100)):
            arns = await account.all("ecs", f"List{kind.capitalize()}s", f"{kind}Arns", cluster=cluster)
            for batch in _batches(arns, size):
                params = {"cluster": cluster, f"{kind}s": batch, "include": ["TAGS"]}
                described = await account.aws.call("ecs", f"Describe{kind.capitalize()}s", **params)
                for each in described[f"{kind}s"]:
                    yield TaggedResource(each[f"{kind}Arn"], tag_mapping(each.get("tags", [])))
    for status in ("ACTIVE", "INACTIVE"):
        for arn in await account.all("ecs", "ListTaskDefinitions", "taskDefinitionArns", status=status):
            answer = await account.aws.call("ecs", _LIST, resourceArn=arn)
            yield TaggedResource(arn, tag_mapping(answer.get("tags", [])))


async def _load_balancers(account: AwsAccount) -> AsyncIterator[TaggedResource]:
    arns = [each["TargetGroupArn"] for each in await account.all("elbv2", "DescribeTargetGroups", "TargetGroups")]
    for balancer in await account.all("elbv2", "DescribeLoadBalancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        arns.append(arn)
        for listener in await account.all("elbv2", "DescribeListeners", "Listeners", LoadBalancerArn=arn):
            arns.append(listener["ListenerArn"])
            rules = await account.aws.call("elbv2", "DescribeRules", ListenerArn=listener["ListenerArn"])
            arns += [rule["RuleArn"] for rule in rules["Rules"] if not rule.get("IsDefault")]
    for batch in _batches(arns, 20):
        answer = await account.aws.call("elbv2", "DescribeTags", ResourceArns=batch)
        for each in answer["TagDescriptions"]:
            yield TaggedResource(each["ResourceArn"], tag_mapping(each.get("Tags", [])))


async def _buckets(account: AwsAccount) -> AsyncIterator[TaggedResource]:
    for each in await account.all("s3", "ListBuckets", "Buckets"):
        yield TaggedResource(f"arn:aws:s3:::{each['Name']}", await bucket_tags(account, each["Name"]))


async def bucket_tags(account: AwsAccount, bucket: str) -> dict[str, str]:
    try:
        answer = await account.aws.call("s3", "GetBucketTagging", Bucket=bucket)
    except AwsError as error:
        if error.code != "NoSuchTagSet":
            raise
        return {}
    return tag_mapping(answer["TagSet"])


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


_SPECIAL = {"ecs": _ecs, "elasticloadbalancing": _load_balancers, "s3": _buckets}
SERVICES = tuple(sorted({*LISTINGS, *_SPECIAL}))
"""Services by their name in ARNs."""


async def tagged_resources(account: AwsAccount, service: str) -> AsyncIterator[TaggedResource]:
    """Every resource of a service, with its tags. Raises `AwsError`."""
    if service in _SPECIAL:
        async for each in _SPECIAL[service](account):
            yield each
    for listing in LISTINGS.get(service, ()):
        async for each in listing.resources(account):
            yield each
