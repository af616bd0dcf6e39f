"""moto in this process: one worker thread, no socket, on AWS time.

All of moto runs in one thread, so calls are serialised: under several threads it loses DynamoDB updates.
moto keeps its state in module globals, so one `Embedded` lives in a process at a time.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from emulation.base import aws_time, sdk
from emulation.base.instance_types import UNANSWERABLE
from emulation.base.models import validate
from emulation.base.views import views_of
from emulation.base.wire import HttpRequest, HttpResponse
from emulation.base.wsgi import environ
from emulation.clock import Clock
from emulation.errors import AwsError, not_emulated

T = TypeVar("T")

_ENVIRONMENT = {
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 1.5 MB of images nobody starts
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",  # the gateway has put the bucket into the path already
}

USED_BY_THE_STACK = ("dynamodb", "sqs", "sns", "s3", "logs", "iam", "ec2", "elbv2", "efs", "ses", "sesv2", "cloudwatch")
"""What `warm` imports: everything the integration test stack touches in the base."""


class Embedded:
    """A `Base` that is moto itself."""

    _living: Embedded | None = None

    def __init__(self, clock: Clock, *, account: str, host: Callable[[], str], seed: int | None = None) -> None:
        """`host` is what queue URLs and the like shall name: the gateway's `host:port`."""
        self._clock = clock
        self._account = account
        self._host = host
        self._seed = seed
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moto")
        self._warming: asyncio.Task[None] | None = None
        self._log = logging.getLogger("emulation.base")

    async def start(self) -> None:
        if Embedded._living is not None:
            raise RuntimeError("moto's state is one per process, and another Embedded lives here: stop it first.")
        Embedded._living = self
        self._worker.submit(self._prepare)

    def warm(self) -> None:
        """Import the services of the stack in the background, one between two calls."""
        self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def forward(self, service: str, operation: str, request: HttpRequest) -> HttpResponse:
        return await self._run(self._answer, service, operation, request)

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self._run(self._call, service, operation, region, params)

    async def stop(self) -> None:
        if Embedded._living is not self:
            return
        if self._warming is not None:
            self._warming.cancel()
        try:
            await self._run(self._forget)
        except Exception:
            self._log.exception("moto could not be reset")
        self._worker.shutdown(wait=False, cancel_futures=True)
        Embedded._living = None

    async def _run(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *args)

    async def _warm(self) -> None:
        for service in USED_BY_THE_STACK:
            await self._run(views_of, service)

    # From here on: in the worker thread.

    def _prepare(self) -> None:
        try:
            for name, value in _ENVIRONMENT.items():
                os.environ.setdefault(name, value)
            aws_time.run_moto_on(self._clock)
            if self._seed is not None:
                from moto.moto_api._internal import mock_random  # noqa: PLC0415 - heavy

                mock_random.seed(self._seed)
        except Exception:
            self._log.exception("moto could not be prepared")
            raise

    def _forget(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415 - heavy

        moto_api_backend.reset()
        aws_time.run_moto_on(None)

    def _call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        validate(service, operation, params)
        request = sdk.to_request(service, operation, region, params, self._host())
        return sdk.to_result(service, operation, self._answer(service, operation, request))

    def _answer(self, service: str, operation: str, request: HttpRequest) -> HttpResponse:
        from moto.core.request import Request  # noqa: PLC0415 - heavy
        from werkzeug.exceptions import HTTPException  # noqa: PLC0415

        views = views_of(service)
        view = views.find(request.path) if views is not None else None
        if view is None or (service, operation) in UNANSWERABLE:
            raise not_emulated(service, operation or request.path)
        env = environ(request)
        env["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        moto_request = Request(env)
        try:
            answer = view(moto_request, moto_request.raw_url, dict(moto_request.headers))
        except HTTPException as error:
            response = error.get_response(env)
            answer = response.status_code, dict(response.headers), response.get_data()
        except NotImplementedError as error:
            raise not_emulated(service, operation) from error
        except Exception as error:
            self._log.warning("moto failed in %s:%s", service, operation, exc_info=True)
            raise AwsError(
                "InternalFailure",
                f"moto, the base behind {service}:{operation}, failed with {error!r}. Its own limits are often met "
                "by calls AWS would refuse: check the parameters; otherwise this operation needs a handler here.",
                status=500,
            ) from error
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        if status in (404, 501) and not content and not operation:
            raise not_emulated(service, request.path)
        return HttpResponse(int(status), {k: str(v) for k, v in headers.items() if k.lower() != "status"}, content)
