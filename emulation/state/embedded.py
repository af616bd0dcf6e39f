"""moto in this process: no socket, one call at a time, on AWS time.

moto loses DynamoDB updates under several threads, so calls are serialised. They run in one worker thread, or in the
event loop when the worker is idle and the operation is known to be quick: a hand-over costs as much as half a call.
moto's state is in module globals: there is one `MotoStore` at a time.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..core.controller import Operation
from ..core.errors import AwsError, not_emulated
from ..time.clock import Clock
from . import aws_time, sdk
from .models import operation_model, too_deep, validate
from .moto_patches import imports, managed_policies, request_ids, speed, wire_format
from .views import views_of
from .wire import HttpRequest, HttpResponse
from .wsgi import titled, to_moto

T = TypeVar("T")

_ENVIRONMENT = {
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 1.5 MB of unused images
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",  # the gateway has put the bucket into the path already
}

STACK_SERVICES = ("dynamodb", "sqs", "sns", "s3", "logs", "iam", "ec2", "elbv2", "efs", "ses", "sesv2", "cloudwatch")
"""The services of the integration test stack, imported by `warm`."""

QUICK = 0.002
"""Wall seconds. An operation runs in the event loop when one of its last three calls was quicker; the best of three,
because any single call is slow on a busy machine."""
_NEVER = (math.inf,)


class MotoStore:
    """A `StateStore` that runs moto in this process."""

    _living: MotoStore | None = None

    def __init__(
        self,
        clock: Clock,
        *,
        account: str,
        host: Callable[[], str],
        region: str = "us-east-1",
        seed: int | None = None,
    ) -> None:
        """`host`: the gateway's `host:port`, for queue URLs and the like. `region`: of unsigned requests."""
        self._clock = clock
        self._account = account
        self._host = host
        self._region = region
        self._seed = seed
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moto")
        self._waiting = 0
        self._took: dict[Operation, deque[float]] = {}
        self._warming: asyncio.Task[None] | None = None
        self._log = logging.getLogger("emulation.state")

    async def start(self) -> None:
        """Raises RuntimeError when another one is running."""
        if MotoStore._living is not None:
            raise RuntimeError("moto's state is one per process, and another MotoStore is running here: stop it first.")
        MotoStore._living = self
        await self._in_worker(self._prepare)

    def passes_on(self, service: str) -> bool:
        return True

    def facts(self) -> Mapping[str, Any]:
        return {}

    def warm(self) -> None:
        """Import the services of the stack in the background, between calls."""
        self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def forward(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        return await self._run((service, operation), self._answer, service, operation, request, request_id)

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)  # lets other tasks run between the quick calls of one part
        return await self._run((service, operation), self._call, service, operation, region, params)

    async def stop(self) -> None:
        if MotoStore._living is not self:
            return
        if self._warming is not None:
            self._warming.cancel()
        try:
            await self._in_worker(self._forget)
        except Exception:
            self._log.exception("moto could not be reset")
        self._worker.shutdown(wait=False, cancel_futures=True)
        MotoStore._living = None

    async def _run(self, operation: Operation, function: Callable[..., T], *args: Any) -> T:
        if self._waiting == 0 and min(self._took.get(operation, _NEVER)) < QUICK:
            return self._timed(operation, function, *args)
        return await self._in_worker(self._timed, operation, function, *args)

    async def _in_worker(self, function: Callable[..., T], *args: Any) -> T:
        # Counted until the worker is done: a cancelled caller stops waiting earlier.
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._worker, function, *args)
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # retrieved, so that asyncio does not report it when the caller gave up

    async def _warm(self) -> None:
        for service in STACK_SERVICES:
            await self._in_worker(views_of, service)
        gc.freeze()  # 200,000 permanent objects: a collection of them takes 130 ms

    # The methods below run one at a time.

    def _timed(self, operation: Operation, function: Callable[..., T], *args: Any) -> T:
        began = self._clock.monotonic()
        try:
            return function(*args)
        finally:
            took = self._took.setdefault(operation, deque(maxlen=3))
            took.append(self._clock.monotonic() - began)

    def _prepare(self) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        aws_time.run_moto_on(self._clock)
        request_ids.replace_generator()
        wire_format.correct()
        speed.install()
        imports.skip_instance_types()
        imports.release_instances()
        if self._seed is not None:
            from moto.moto_api._internal import mock_random  # noqa: PLC0415 - heavy

            mock_random.seed(self._seed)

    def _forget(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415 - heavy

        moto_api_backend.reset()
        aws_time.run_moto_on(None)

    def _call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        validate(service, operation, params)
        request = sdk.to_request(service, operation, region, params, self._host())
        return sdk.to_result(service, operation, self._answer(service, operation, request, ""))

    def _iam(self) -> Any:
        from moto.iam.models import iam_backends  # noqa: PLC0415 - heavy

        return iam_backends[self._account]["aws"]

    def _answer(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        from werkzeug.exceptions import HTTPException  # noqa: PLC0415 - heavy

        views = views_of(service)
        view = views.find(request.path) if views is not None else None
        if view is None or not operation or (service, operation) in imports.UNANSWERABLE:
            raise _missing(service, operation, request)
        if service == "iam":
            managed_policies.provide(self._iam(), request.body)
        moto_request = to_moto(request, self._account, self._region)
        request_ids.set_current(request_id)
        try:
            answer = view(moto_request, moto_request.raw_url, titled(request.headers))
        except HTTPException as error:
            response = error.get_response(moto_request.environ)
            answer = response.status_code, dict(response.headers), response.get_data()
        except NotImplementedError as error:
            raise _missing(service, operation, request) from error
        except AwsError:
            raise
        except RecursionError as error:
            raise too_deep(service, operation) from error
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
        return HttpResponse(int(status), {k: str(v) for k, v in headers.items() if k.lower() != "status"}, content)


def _missing(service: str, operation: str, request: HttpRequest) -> AwsError:
    """The error for an operation that does not exist, or that moto lacks."""
    if not operation:
        return AwsError(
            "UnknownOperationException", f"{service} has no operation at {request.method} {request.path}.", status=404
        )
    try:
        operation_model(service, operation)
    except AwsError as unknown:
        return unknown
    return not_emulated(service, operation)
