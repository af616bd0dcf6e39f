"""botocore, and what its errors mean. Imported late, because it is slow to import."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from botocore.loaders import Loader, create_loader

from .aws_errors import AwsError, ConditionFailed, Unavailable

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


class Clients:
    """Clients by service, made when first asked for, from any thread."""

    def __init__(self, region: str | None, connections: int) -> None:
        self._session = _session()
        self._region = region
        # botocore's own retries sleep in wall time; ours are in AWS time.
        self._config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=connections,
        )
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    def get(self, service: str) -> Any:
        if made := self._clients.get(service):  # who needs this one does not wait for others being made
            return made
        with self._making:
            if service not in self._clients:
                made = self._session.create_client(service, region_name=self._region, config=self._config)
                self._clients[service] = made
            return self._clients[service]


def load_models(*services: str) -> None:
    """Read what clients of these services are made from; all clients of this process and its forks share it."""
    for service in services:
        client = _session().create_client(service, "us-west-2", config=Config(signature_version=UNSIGNED))
        client.close()


def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Loader:
    return create_loader(os.environ.get("AWS_DATA_PATH"))


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
    except (HTTPClientError, NotConnected) as error:
        raise Unavailable(name, type(error).__name__, str(error)) from None
    except BotoCoreError as error:
        raise AwsError(name, type(error).__name__, str(error)) from None
    return answer
