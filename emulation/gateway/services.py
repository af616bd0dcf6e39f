"""Maps the service that a request is signed for to botocore's name."""

from __future__ import annotations

from ..state.wire import HttpRequest

_BY_SIGNING_NAME = {
    "IoTSecuredTunneling": "iotsecuretunneling",
    "airflow": "mwaa",
    "aoss": "opensearchserverless",
    "aps": "amp",
    "aws-marketplace": "meteringmarketplace",
    "cassandra": "keyspaces",
    "cloudcontrolapi": "cloudcontrol",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    "execute-api": "apigatewaymanagementapi",
    "geo": "location",
    "iotdata": "iot-data",
    "mobiletargeting": "pinpoint",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "sso": "sso-admin",
    "sso-oauth": "sso-oidc",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "timestream": "timestream-write",
}
"""Signing names (botocore's `signingName` or `endpointPrefix`) that differ from the name of their one service."""

_BY_TARGET_PREFIX = {
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "dynamodbstreams",
    "AmazonSQS": "sqs",
    "AWSCognitoIdentityService": "cognito-identity",
    "AWSCognitoIdentityProviderService": "cognito-idp",
}
"""Targets that decide between services with one signing name, and targets of calls without a signature."""


def service_name(signing_name: str, request: HttpRequest) -> str:
    """botocore's name of the service of a request signed for `signing_name`."""
    if (by_target := service_of_unsigned(request)) is not None:
        return by_target
    name = _BY_SIGNING_NAME.get(signing_name, signing_name)
    decide = _SHARED.get(name)
    return decide(request) if decide is not None else name


def service_of_unsigned(request: HttpRequest) -> str | None:
    """The service of a request without a signature, if its target names one."""
    return _BY_TARGET_PREFIX.get(request.headers.get("x-amz-target", "").partition(".")[0])


def _ses(request: HttpRequest) -> str:
    return "sesv2" if request.path.startswith("/v2/") else "ses"


def _s3(request: HttpRequest) -> str:
    return "s3control" if request.path.startswith("/v20180820/") else "s3"


def _elb(request: HttpRequest) -> str:
    return "elb" if b"Version=2012-06-01" in request.body else "elbv2"


def _apigateway(request: HttpRequest) -> str:
    return "apigatewayv2" if request.path.startswith("/v2/") else "apigateway"


_SHARED = {"ses": _ses, "s3": _s3, "elbv2": _elb, "apigateway": _apigateway}
"""Signing names that several services share."""
