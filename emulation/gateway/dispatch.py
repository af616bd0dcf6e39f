"""Every call's way through the cloud: interceptors, then a controller's handler or the base, then watchers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import cache, partial
from typing import Any

from ..core.controller import Call, Caller, Controller, Handler, Operation, Watcher
from ..core.errors import AwsError
from ..core.ids import Ids
from ..state import StateStore
from ..state.models import operation_model, validate
from ..state.wire import HttpRequest, HttpResponse
from ..time.clock import Clock
from .callers import ANONYMOUS, AccessKeys
from .identify import CBOR, Identity, identify, signature_of
from .intercept import InterceptedCall, Interceptor, PendingCalls
from .protocol import error_code, parse, serialize, serialize_error
from .record import Recorder
from .shapes import conform
from .touched import touched

GIVEN_UP_WITH_ITS_CLIENT = frozenset({("sqs", "ReceiveMessage")})
"""Operations that end when the client hangs up: a long poll must not take a message for nobody. All others are
carried through, as AWS does, and only their answer is lost."""


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
        self._region = region
        self._account = account
        self._handlers: dict[Operation, Handler] = {}
        self._owners: dict[Operation, str] = {}
        self._watchers: dict[Operation, list[Watcher]] = {}
        self._answering: set[asyncio.Task[dict[str, Any]]] = set()
        self._log = logging.getLogger("emulation.gateway")
        self.interceptors: list[Interceptor] = []
        """Asked in order for every call over the wire."""
        self._under_way = PendingCalls()

    def register(self, controllers: Iterable[Controller]) -> None:
        """Let controllers answer and hear of operations. Raises ValueError when two answer the same one."""
        for controller in controllers:
            owner = type(controller).__name__
            for operation, handler in controller.handlers().items():
                if operation in self._handlers:
                    raise ValueError(
                        f"{':'.join(operation)} is answered by both {self._owners[operation]} and {owner}: "
                        "an operation has one owner; let one of them watch it instead."
                    )
                self._handlers[operation] = handler
                self._owners[operation] = owner
            for operation, watcher in controller.watchers().items():
                self._watchers.setdefault(operation, []).append(watcher)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request from the wire, every failure as an AWS error. Raises `CutOff` when an interceptor
        did: the caller gets no answer at all."""
        began = self._clock.now()
        request_id = self._ids.uuid()
        identity: Identity | None = None
        caller = ANONYMOUS
        status, code = 0, None
        read: Callable[[], Mapping[str, Any]] = dict
        try:
            identity = identify(request, self._region)
            caller = self._keys.caller(identity.access_key)
            read = cache(partial(_parameters, identity))
            call = InterceptedCall(identity.service, identity.operation, caller, identity.region, read)
            with self._under_way.answering(call):
                await self._intercept(call)
                response = await self._respond(identity, caller, request_id)
            status, code = response.status, error_code(response)
        except AwsError as error:
            response = serialize_error(identity, error, request_id)
            status, code = response.status, error.code
        finally:
            self._recorder.add(
                at=began,
                caller=caller,
                service=identity.service if identity is not None else "",
                operation=identity.operation if identity is not None else "",
                region=identity.region if identity is not None else "",
                status=status,
                error=code,
                seconds=self._clock.wall(self._clock.now() - began),
                request_id=request_id,
                touches=touched(read()),
            )
        dated = {**response.headers, "date": formatdate(self._clock.now(), usegmt=True)}
        return HttpResponse(response.status, dated, response.body)

    async def call(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one call of the cloud's own parts; see `emulation.controller.Aws`."""
        began = self._clock.now()
        request_id = self._ids.uuid()
        status, code = 0, None
        try:
            result = await self._result(caller, service, operation, params, request_id)
            status = 200
        except AwsError as error:
            status, code = error.status, error.code
            raise
        finally:
            self._recorder.add(
                at=began,
                caller=caller,
                service=service,
                operation=operation,
                region=self._region,
                status=status,
                error=code,
                seconds=self._clock.wall(self._clock.now() - began),
                request_id=request_id,
                touches=touched(params),
            )
        return result

    def opened(self, service: str, operation: str, request: HttpRequest, touches: Mapping[str, str]) -> None:
        """Record a call that no answer ends: a WebSocket that is opened. Raises `AwsError` for a signature that is
        none, and for a key that was revoked or has expired."""
        signature = signature_of(request)
        self._recorder.add(
            at=self._clock.now(),
            caller=ANONYMOUS if signature is None else self._keys.caller(signature.access_key),
            service=service,
            operation=operation,
            region=self._region if signature is None else signature.region,
            status=101,
            error=None,
            seconds=0.0,
            request_id=self._ids.uuid(),
            touches=touches,
        )

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int:
        """Take the answers away from calls from the wire that are being answered now, their connections closed at once
        or when `until` is set; returns how many. As when any client hangs up, what they do is carried through (but
        see `GIVEN_UP_WITH_ITS_CLIENT`)."""
        return self._under_way.break_off(concerns, until)

    async def stop(self) -> None:
        """End what is still being answered for clients that hung up."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def store_call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """As `call`, past controllers and watchers; not recorded, being a step of a call that is."""
        return await self._base.call(service, operation, self._region, self._with_tokens(service, operation, params))

    async def _respond(self, identity: Identity, caller: Caller, request_id: str) -> HttpResponse:
        """The answer to a request from the wire: the base's word for word, a handler's serialised."""
        key = (identity.service, identity.operation)
        handler = self._handlers.get(key)
        as_it_came = identity.protocol != CBOR and self._base.passes_on(identity.service)
        if handler is None and key not in self._watchers and as_it_came:
            return await self._base.forward(*key, identity.request, request_id)
        params = parse(identity)
        call = Call(*key, params, caller, identity.region, self._account, request_id)
        if handler is not None:
            validate(*key, params)
            response = serialize(identity, await self._carry_through(handler, call), request_id)
        elif not as_it_came:
            response = serialize(identity, await self._base.call(*key, identity.region, params), request_id)
        else:
            response = await self._base.forward(*key, identity.request, request_id)
        if response.status < 400 and key in self._watchers:
            self._tell(replace(call, answer=response.body))
        return response

    async def _result(
        self, caller: Caller, service: str, operation: str, params: Mapping[str, Any], request_id: str
    ) -> dict[str, Any]:
        params = self._with_tokens(service, operation, params)
        handler = self._handlers.get((service, operation))
        call = Call(service, operation, params, caller, self._region, self._account, request_id)
        if handler is None:
            result = await self._base.call(service, operation, self._region, params)
        else:
            validate(service, operation, params)
            model = operation_model(service, operation)
            params = conform(params, model.input_shape, f"{service}:{operation}")
            call = Call(service, operation, params, caller, self._region, self._account, request_id)
            result = await self._handle(handler, call)
        self._tell(call)
        return result

    async def _carry_through(self, handler: Handler, call: Call) -> dict[str, Any]:
        """A handler's result, brought to its end even when the client hangs up meanwhile."""
        if (call.service, call.operation) in GIVEN_UP_WITH_ITS_CLIENT:
            return await self._handle(handler, call)
        task = asyncio.get_running_loop().create_task(self._handle(handler, call))
        self._answering.add(task)
        task.add_done_callback(self._answered)
        return await asyncio.shield(task)

    def _answered(self, task: asyncio.Task[dict[str, Any]]) -> None:
        self._answering.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not report it where the client hung up

    async def _handle(self, handler: Handler, call: Call) -> dict[str, Any]:
        """A handler's result, checked against the model; what it raises but `AwsError` is a defect of ours."""
        path = f"{call.service}:{call.operation}"
        try:
            result = await handler(call)
            shape = operation_model(call.service, call.operation).output_shape
            checked: dict[str, Any] = conform(result, shape, path)
        except AwsError:
            raise
        except Exception as error:
            self._log.exception("the handler of %s failed", path)
            raise AwsError("InternalFailure", f"The emulation of {path} failed: {error!r}", status=500) from error
        return checked

    async def _intercept(self, call: InterceptedCall) -> None:
        for interceptor in tuple(self.interceptors):
            error = await interceptor(call)
            if error is not None:
                raise error

    def _tell(self, call: Call) -> None:
        for watcher in self._watchers.get((call.service, call.operation), ()):
            try:
                watcher(call)
            except Exception:
                self._log.exception("a watcher of %s:%s failed", call.service, call.operation)

    def _with_tokens(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters with the idempotency tokens that SDKs add themselves."""
        tokens = operation_model(service, operation).idempotent_members
        return {**{token: self._ids.uuid() for token in tokens}, **params} if tokens else params


def _parameters(identity: Identity) -> Mapping[str, Any]:
    try:
        return parse(identity)
    except AwsError:
        return {}


@dataclass(frozen=True)
class InProcess:
    """The `Aws` of one part of the cloud: calls are made in its name."""

    dispatch: Dispatch
    caller: Caller

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.call(self.caller, service, operation, params)

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.store_call(service, operation, params)
