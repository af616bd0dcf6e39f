"""Calls AWS through boto3, for every backend: one set of clients, one thread pool, one retry policy."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core.changes import looks_at
from ..core.errors import InfraError
from ..core.history import History
from ..core.threads import BlockingPool
from ..core.version import __version__

_READS = ("describe_", "list_", "get_", "query", "scan", "batch_get_", "lookup_", "filter_", "validate_", "receive_")
"""Read-only calls, which are not recorded in the history; checks record what they observe."""


_REFUSED_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
    }
)


class Gate(Protocol):
    """Approves every call before it is made."""

    def check(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Raises when the call must not be made. Runs in the calling thread."""


class Pace(Protocol):
    """Limits the rate of calls."""

    def take(self, service: str, operation: str) -> None:
        """Returns when a request, or a retry, may be sent. Runs in the calling thread."""


@dataclass(frozen=True)
class Credentials:
    """Fixed credentials; without them boto3's credential chain is used."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True)
class Access:
    """Endpoint and credentials of AWS."""

    region: str
    endpoint_url: str | None = None
    """An endpoint other than AWS's."""
    credentials: Credentials | None = None
    profile: str | None = None
    role: str | None = None
    """The ARN of a role to assume; its credentials are renewed automatically."""

    def environment(self) -> dict[str, str]:
        """Variables that point the AWS CLI and any SDK at the same place."""
        variables = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.endpoint_url:
            variables["AWS_ENDPOINT_URL"] = self.endpoint_url
        if self.credentials:
            variables["AWS_ACCESS_KEY_ID"] = self.credentials.access_key_id
            variables["AWS_SECRET_ACCESS_KEY"] = self.credentials.secret_access_key
        if self.profile:
            variables["AWS_PROFILE"] = self.profile
        return variables


@dataclass
class Aws:
    """Makes AWS calls in the kit's threads, with one cached client a service."""

    access: Access
    threads: BlockingPool
    history: History
    gate: Gate | None = None
    pace: Pace | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _session: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service. The first call for a service blocks for some milliseconds."""
        with self._lock:
            if service not in self._clients:
                self._session = self._session or _session(self.access)
                client = self._session.client(
                    service, endpoint_url=self.access.endpoint_url, config=_config(self.access, self.threads.workers)
                )
                self._watch(service, client)
                self._clients[service] = client
            return self._clients[service]

    def _watch(self, service: str, client: Any) -> None:
        """Apply gate and pace to every call of a client, including those not made by `call`."""
        gate, pace = self.gate, self.pace
        if gate is not None:

            def judge(params: Any, model: Any, **_: Any) -> None:
                gate.check(service, model.name, params)

            client.meta.events.register("provide-client-params", judge)
        if pace is not None:

            def wait(event_name: str, **_: Any) -> None:
                pace.take(service, event_name.rpartition(".")[2])

            client.meta.events.register("before-send", wait)

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """One call, for example `call("ecs", "update_service", cluster=…)`; recorded unless it is read-only.

        Raises botocore's `ClientError` for AWS's errors and `InfraError` when AWS cannot be reached.
        """
        reads = operation.startswith(_READS)
        looks_at(service if reads else f"{service}.{operation}")
        if reads:
            return await self.threads.run(self._blocking, service, operation, params)
        touches = {key: value for key, value in params.items() if isinstance(value, str) and len(value) <= 256}
        with self.history.operation(f"{service}.{operation}", **touches):
            return await self.threads.run(self._blocking, service, operation, params)

    async def pages(self, service: str, operation: str, key: str, /, **params: Any) -> list[Any]:
        """All items below `key` of a paginated operation."""
        looks_at(service)

        def collect() -> list[Any]:
            paginator = self.client(service).get_paginator(operation)
            return [item for page in paginator.paginate(**params) for item in page.get(key, ())]

        return await self.threads.run(self._reached, collect)

    async def credentials(self) -> Any:
        """botocore's credentials, for signing without a client."""
        await self.threads.run(self.client, "sts")
        return self._session.get_credentials()

    def close(self) -> None:
        """Close the clients' connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _blocking(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._reached(lambda: getattr(self.client(service), operation)(**params))
        return answer

    def _reached(self, make: Any) -> Any:
        from botocore import exceptions  # noqa: PLC0415 - heavy: only where a call is made

        try:
            return make()
        except exceptions.ClientError as error:
            if error.operation_name == "AssumeRole":
                raise InfraError(
                    f"the role cannot be assumed: {error}",
                    where=self.access.role or "",
                    next="look at the role's trust policy, and at the caller's: aws sts get-caller-identity",
                ) from error
            if error.response.get("Error", {}).get("Code") not in _REFUSED_CREDENTIALS:
                raise
            raise InfraError(
                f"AWS refuses these credentials, which may have expired: {error}",
                next="renew them and run again; kit janitor removes resources that are left, by the run's ledger",
            ) from error
        except (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.ProfileNotFound,
            exceptions.SSOError,
            exceptions.TokenRetrievalError,
        ) as error:
            raise InfraError(
                f"no usable AWS credentials: {error}",
                next="set aws_profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from error
        except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as error:
            raise InfraError(
                f"AWS does not answer: {error}", where=self.access.endpoint_url or self.access.region
            ) from error


def _session(access: Access) -> Any:
    import boto3  # noqa: PLC0415 - heavy: only where a call is made
    import botocore.session  # noqa: PLC0415 - heavy: only where a call is made

    if access.credentials is None:
        session = boto3.Session(profile_name=access.profile, region_name=access.region)
        return session if access.role is None else _assuming(session, access.role)
    # Ignore the developer's AWS configuration: a missing profile named in the environment would break every call.
    nowhere = (None, None, os.devnull, None)
    isolated = botocore.session.Session(
        session_vars={"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
    )
    return boto3.Session(
        botocore_session=isolated,
        region_name=access.region,
        aws_access_key_id=access.credentials.access_key_id,
        aws_secret_access_key=access.credentials.secret_access_key,
        aws_session_token=access.credentials.session_token,
    )


def _assuming(session: Any, role: str) -> Any:
    """A session whose credentials are the role's, renewed before they expire."""
    import boto3  # noqa: PLC0415 - heavy: only where a call is made
    import botocore.session  # noqa: PLC0415 - heavy: only where a call is made
    from botocore.credentials import (  # noqa: PLC0415 - heavy: only where a call is made
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=session._session.create_client,
        source_credentials=session.get_credentials(),
        role_arn=role,
        extra_args={"RoleSessionName": "webordinary-test-kit"},
    )
    inner = botocore.session.Session()
    inner._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    inner.set_config_variable("region", session.region_name)
    return boto3.Session(botocore_session=inner, region_name=session.region_name)


def _config(access: Access, connections: int) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - heavy: only where a call is made

    return Config(
        retries={"mode": "adaptive", "max_attempts": 10},
        connect_timeout=5,
        read_timeout=70,
        max_pool_connections=connections,
        proxies={} if access.endpoint_url else None,
        user_agent_extra=f"webordinary-test-kit/{__version__}",
        tcp_keepalive=True,
    )
