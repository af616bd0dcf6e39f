"""Dispatches every call: interceptors, then a controller's handler or the state store, then watchers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from http import HTTPStatus
from typing import Any

from ..core.controller import Call, Caller, Controller, Handler, Operation
from ..core.errors import AwsError
from ..core.ids import Ids
from ..state import StateStore
from ..state.models import operation_model, too_deep, validate
from ..state.wire import HttpRequest, HttpResponse
from ..time.clock import Clock
from .callers import ANONYMOUS, AccessKeys
from .changes import Changes
from .identify import CBOR, Identity, identify
from .intercept import InterceptedCall, Interceptor, PendingCalls
from .limits import check_document
from .protocol import (
    check_json,
    error_code,
    parse,
    serialize,
    serialize_error,
    takes_a_file,
    with_content_type,
)
from .record import RecordedCall, Recorder
from .registry import GLOBAL, Registry, not_in_region
from .resource_names import resource_names
from .shapes import conform
from .signature import signature_of

END_WITH_CLIENT = frozenset({("sqs", "ReceiveMessage")})
"""Operations that end when the client hangs up: a long poll must not receive a message for a client that is gone. All
others are completed, as on AWS, and only their answer is lost."""


class Dispatch:
    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        base: StateStore,
        keys: AccessKeys,
        recorder: Recorder,
        *,
        region: str,
        account: str,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._base = base
        self._keys = keys
        self._recorder = recorder
        self.changes = Changes()
        self._region = region
        self._account = account
        self._home = Registry()
        self._regions: dict[str, Registry] = {}
        self._regional: list[Controller] = []
        self.regional: Callable[[str], Sequence[Controller]] = lambda _: ()
        """Makes the controllers of another region than the cloud's own."""
        self._answering: set[asyncio.Task[dict[str, Any]]] = set()
        self._log = logging.getLogger("emulation.gateway")
        self.network: list[Interceptor] = []
        """Called in order for every call over the wire, before it is authenticated: the caller is whom it names."""
        self.interceptors: list[Interceptor] = []
        """Called in order for every authenticated call over the wire."""
        self._under_way = PendingCalls()

    def register(self, controllers: Iterable[Controller]) -> None:
        """Register the controllers of the cloud's own region. Raises ValueError when two handle one operation."""
        self._home.register(controllers)

    async def _registry(self, operation: Operation, region: str) -> Registry:
        """The handlers and watchers for an operation in a region. Raises `AwsError` for one that is emulated in the
        cloud's own region only."""
        if region == self._region or operation[0] in GLOBAL:
            return self._home
        if region not in self._regions:
            self._regions[region] = Registry()
            controllers = self.regional(region)
            self._regions[region].register(controllers)
            self._regional += controllers
            for controller in controllers:
                await controller.start()
        registry = self._regions[region]
        if operation in self._home.handlers and operation not in registry.handlers:
            raise not_in_region(operation, region, self._region)
        return registry

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request from the wire; every failure becomes an AWS error. Raises `CutOff` when an interceptor
        does: the client gets no answer."""
        began = self._clock.now(), self._clock.monotonic()
        request_id = self._ids.uuid()
        identity: Identity | None = None
        caller = ANONYMOUS
        status, code = 0, None
        read: Callable[[], Mapping[str, Any]] = dict
        try:
            identity = identify(request, self._region)
            caller = self._keys.named(identity)
            parameters = cache(partial(_parameters, identity))
            call = InterceptedCall(identity.service, identity.operation, caller, identity.region, parameters)
            with self._under_way.answering(call):
                await _intercept(call, self.network)
                caller = self._keys.authenticate(identity, request)
                if not takes_a_file(identity):
                    check_document(identity.protocol, identity.request.body)
                read = parameters
                await _intercept(call, self.interceptors)
                response = await self._respond(identity, caller, request_id)
            status, code = response.status, error_code(response)
        except AwsError as error:
            response = serialize_error(identity, error, request_id)
            status, code = response.status, error.code
        finally:
            called = (identity.service, identity.operation, identity.region) if identity is not None else ("", "", "")
            touches = resource_names(read())
            self._record(began, caller, called, (status, code), request_id=request_id, touches=touches)
        return response

    async def call(
        self, caller: Caller, service: str, operation: str, region: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Answer one call of a part of the cloud; see `emulation.core.controller.Aws`."""
        began = self._clock.now(), self._clock.monotonic()
        request_id = self._ids.uuid()
        status, code = 0, None
        try:
            result = await self._result(caller, (service, operation), region, params, request_id)
            status = 200
        except AwsError as error:
            status, code = error.status, error.code
            raise
        finally:
            called, touches = (service, operation, region), resource_names(params)
            self._record(began, caller, called, (status, code), request_id=request_id, touches=touches)
        return result

    def opened(self, service: str, operation: str, request: HttpRequest, touches: Mapping[str, str]) -> None:
        """Record a WebSocket that is opened. Raises `AwsError` for a malformed signature and for a revoked or expired
        key."""
        signature = signature_of(request)
        caller = ANONYMOUS if signature is None else self._keys.caller(signature.access_key)
        region = self._region if signature is None else signature.region
        called, now = (service, operation, region), (self._clock.now(), self._clock.monotonic())
        self._record(now, caller, called, (101, None), request_id=self._ids.uuid(), touches=touches)

    def _record(
        self,
        began: tuple[float, float],
        caller: Caller,
        called: tuple[str, str, str],
        outcome: tuple[int, str | None],
        *,
        request_id: str,
        touches: Mapping[str, str | list[str]],
    ) -> None:
        """`began`: AWS and monotonic time; `called`: service, operation and region; `outcome`: HTTP
        status and AWS's error code."""
        at, since = began
        seconds = self._clock.monotonic() - since
        if outcome[0] < 400:
            self.changes.called(*called[:2])
        self._recorder.add(
            RecordedCall(0, at, caller.kind, caller.name, *called, *outcome, seconds, request_id, touches)
        )

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int:
        """Drop the answers of calls in progress and close their connections, at once or when `until` is set; returns
        how many. As when a client hangs up, the calls are completed (but see `END_WITH_CLIENT`)."""
        return self._under_way.break_off(concerns, until)

    async def stop(self) -> None:
        """End the calls that are still in progress for clients that hung up, and the controllers of other regions."""
        for controller in self._regional:
            await controller.stop()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def store_call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Like `call`, but past controllers and watchers. Not recorded: it is a step of a recorded call."""
        return await self._base.call(service, operation, region, self._with_tokens(service, operation, params))

    async def _respond(self, identity: Identity, caller: Caller, request_id: str) -> HttpResponse:
        """The answer to a request from the wire: the state store's unchanged, a handler's serialised."""
        key = (identity.service, identity.operation)
        registry = await self._registry(key, identity.region)
        handler = registry.handlers.get(key)
        unchanged = identity.protocol != CBOR and self._base.passes_on(identity.service)
        if handler is None and key not in registry.watchers and unchanged:
            return await self._forward(identity, request_id)
        params = parse(identity)
        call = Call(*key, params, caller, identity.region, self._account, request_id)
        if handler is not None:
            validate(*key, params)
            response = serialize(identity, await self._complete(handler, call), request_id)
        elif not unchanged:
            response = serialize(identity, await self._base.call(*key, identity.region, params), request_id)
        else:
            response = await self._forward(identity, request_id)
        if response.status < 400:
            self._notify(registry, replace(call, answer=response.body))
        return response

    async def _forward(self, identity: Identity, request_id: str) -> HttpResponse:
        """The state store's answer. When it fails on a request that AWS's model does not allow, the refusal."""
        key = (identity.service, identity.operation)
        check_json(identity)
        try:
            response = await self._base.forward(*key, identity.request, request_id)
            return with_content_type(identity, response)
        except AwsError as error:
            if error.status == HTTPStatus.INTERNAL_SERVER_ERROR and identity.operation:
                validate(*key, parse(identity))
            raise

    async def _result(
        self, caller: Caller, operation: Operation, region: str, params: Mapping[str, Any], request_id: str
    ) -> dict[str, Any]:
        params = self._with_tokens(*operation, params)
        registry = await self._registry(operation, region)
        handler = registry.handlers.get(operation)
        call = Call(*operation, params, caller, region, self._account, request_id)
        if handler is None:
            result = await self._base.call(*operation, region, params)
        else:
            validate(*operation, params)
            model = operation_model(*operation)
            call = replace(call, params=conform(params, model.input_shape, ":".join(operation)))
            result = await self._handle(handler, call)
        self._notify(registry, call)
        return result

    async def _complete(self, handler: Handler, call: Call) -> dict[str, Any]:
        """A handler's result, completed even when the client hangs up meanwhile."""
        if (call.service, call.operation) in END_WITH_CLIENT:
            return await self._handle(handler, call)
        task = asyncio.get_running_loop().create_task(self._handle(handler, call))
        self._answering.add(task)
        task.add_done_callback(self._answered)
        return await asyncio.shield(task)

    def _answered(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._answering.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it when the client hung up

    async def _handle(self, handler: Handler, call: Call) -> dict[str, Any]:
        """A handler's result, checked against the model; every other error than `AwsError` is a bug here."""
        path = f"{call.service}:{call.operation}"
        try:
            result = await handler(call)
            shape = operation_model(call.service, call.operation).output_shape
            checked: dict[str, Any] = conform(result, shape, path)
        except AwsError:
            raise
        except RecursionError as error:  # a document inside of a parameter
            raise too_deep(call.service, call.operation) from error
        except Exception as error:
            self._log.exception("the handler of %s failed", path)
            raise AwsError("InternalFailure", f"The emulation of {path} failed: {error!r}", status=500) from error
        return checked

    def _notify(self, registry: Registry, call: Call) -> None:
        for watcher in registry.watchers.get((call.service, call.operation), ()):
            try:
                watcher(call)
            except Exception:
                self._log.exception("a watcher of %s:%s failed", call.service, call.operation)

    def _with_tokens(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters, with the idempotency tokens that SDKs add."""
        tokens = operation_model(service, operation).idempotent_members
        return {**{token: self._ids.uuid() for token in tokens}, **params} if tokens else params


def _parameters(identity: Identity) -> Mapping[str, Any]:
    try:
        return parse(identity)
    except AwsError:
        return {}


@dataclass(frozen=True)
class InProcess:
    """The `Aws` of one part of the cloud, which is the caller of its calls."""

    dispatch: Dispatch
    caller: Caller
    region: str

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.call(self.caller, service, operation, self.region, params)

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.store_call(service, operation, self.region, params)


async def _intercept(call: InterceptedCall, interceptors: Iterable[Interceptor]) -> None:
    for interceptor in tuple(interceptors):
        error = await interceptor(call)
        if error is not None:
            raise error
