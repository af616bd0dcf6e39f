"""botocore, and what its errors mean. Imported late, because it is slow to import."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from emulation.system.aws_errors import AwsError, ConditionFailed, Unavailable

_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_session = botocore.session.Session()


def client(service: str, region: str | None, connections: int) -> Any:
    """A client that tries once: botocore's own retries sleep in wall time, ours are in AWS time."""
    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=connections,
    )
    return _session.create_client(service, region_name=region, config=config)


def call(client: Any, name: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """One blocking call. Raises `Unavailable`, `ConditionFailed` or `AwsError`."""
    try:
        answer: dict[str, Any] = getattr(client, operation)(**params)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed(name, code, str(error)) from None
        kind = Unavailable if code in _THROTTLED or status >= 500 else AwsError
        raise kind(name, code, str(error)) from None
    except HTTPClientError as error:
        raise Unavailable(name, type(error).__name__, str(error)) from None
    except BotoCoreError as error:
        raise AwsError(name, type(error).__name__, str(error)) from None
    return answer
