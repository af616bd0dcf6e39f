"""Every call's way through the cloud: interceptors, then a controller's handler or the base, then watchers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulation.base import Base
from emulation.base.models import operation_model, validate
from emulation.base.wire import HttpRequest, HttpResponse
from emulation.clock import Clock
from emulation.controller import Call, Caller, Controller, Handler, Operation, Watcher
from emulation.errors import AwsError
from emulation.gateway.callers import ANONYMOUS, AccessKeys
from emulation.gateway.identify import CBOR, Identity, identify
from emulation.gateway.protocol import parse, serialize, serialize_error
from emulation.gateway.record import Recorder
from emulation.ids import Ids


@dataclass(frozen=True, slots=True)
class Intercepted:
    """A call that came over the wire, before anybody answered it."""

    service: str
    operation: str
    caller: Caller
    region: str


Interceptor = Callable[[Intercepted], Awaitable[AwsError | None]]
"""May answer a call with the error it returns (or raises), may delay it by sleeping, or let it pass with None.
Sees calls from users and tasks, not those of the cloud's own parts."""


class Dispatch:
    def __init__(
        self, clock: Clock, ids: Ids, base: Base, keys: AccessKeys, recorder: Recorder, *, region: str, account: str
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
        self._log = logging.getLogger("emulation.gateway")
        self.interceptors: list[Interceptor] = []
        """Asked in order for every call over the wire; the first error answers it."""

    def register(self, controllers: Iterable[Controller]) -> None:
        """Let controllers answer and hear of operations. Raises ValueError when two answer the same one, or
        when one names an operation that botocore does not know."""
        for controller in controllers:
            owner = type(controller).__name__
            for operation, handler in controller.handlers().items():
                if operation in self._handlers:
                    raise ValueError(
                        f"{':'.join(operation)} is answered by both {self._owners[operation]} and {owner}; "
                        "one operation has one owner."
                    )
                self._handlers[operation] = handler
                self._owners[operation] = owner
            for operation, watcher in controller.watchers().items():
                self._watchers.setdefault(operation, []).append(watcher)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request from the wire. Every failure becomes an AWS error; nothing is raised."""
        began = self._clock.now()
        identity: Identity | None = None
        caller = ANONYMOUS
        error: AwsError | None = None
        status = 0
        request_id = self._ids.uuid()
        try:
            identity = identify(request, self._region)
            caller = self._keys.caller(identity.access_key)
            await self._intercept(identity, caller)
            response = await self._respond(identity, caller, request_id)
            status = response.status
            return response
        except AwsError as refused:
            error = refused
        except Exception as crash:
            self._log.exception("%s failed", identity or request.path)
            error = AwsError(
                "InternalFailure", f"The emulated cloud failed: {crash!r}. This is its defect.", status=500
            )
        finally:
            if error is None:
                self._record(began, caller, identity, status, None, request_id)
        response = serialize_error(identity, error, request_id)
        self._record(began, caller, identity, response.status, error.code, request_id)
        return response

    async def base_call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """As `call`, past controllers and watchers; not recorded, being a step of a call that is."""
        return await self._base.call(service, operation, self._region, self._with_tokens(service, operation, params))

    async def call(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one call of the cloud's own parts; see `emulation.controller.Aws`."""
        began = self._clock.now()
        request_id = self._ids.uuid()
        status, code = 0, None
        try:
            result = await self._call(caller, service, operation, params, request_id)
            status = 200
            return result
        except AwsError as error:
            status, code = error.status, error.code
            raise
        finally:
            self._recorder.add(
                at=began,
                caller_kind=caller.kind,
                caller=caller.name,
                service=service,
                operation=operation,
                region=self._region,
                status=status,
                error=code,
                seconds=self._clock.wall(self._clock.now() - began),
                request_id=request_id,
            )

    async def _call(
        self, caller: Caller, service: str, operation: str, params: Mapping[str, Any], request_id: str
    ) -> dict[str, Any]:
        key = (service, operation)
        handler = self._handlers.get(key)
        params = self._with_tokens(service, operation, params)
        call = Call(service, operation, params, caller, self._region, self._account, request_id)
        if handler is None:
            result = await self._base.call(service, operation, self._region, params)
        else:
            validate(service, operation, params)
            result = await handler(call)
        self._tell(key, call)
        return result

    def _with_tokens(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters with the idempotency tokens that SDKs add themselves."""
        tokens = operation_model(service, operation).idempotent_members
        return {**{token: self._ids.uuid() for token in tokens}, **params} if tokens else params

    async def _intercept(self, identity: Identity, caller: Caller) -> None:
        if not self.interceptors:
            return
        call = Intercepted(identity.service, identity.operation, caller, identity.region)
        for interceptor in self.interceptors:
            error = await interceptor(call)
            if error is not None:
                raise error

    async def _respond(self, identity: Identity, caller: Caller, request_id: str) -> HttpResponse:
        key = (identity.service, identity.operation)
        handler = self._handlers.get(key)
        watched = key in self._watchers
        if handler is None and not watched and identity.protocol != CBOR:
            return await self._base.forward(*key, identity.request)
        params = parse(identity)
        call = Call(*key, params, caller, identity.region, self._account, request_id)
        if handler is not None:
            validate(*key, params)
            response = serialize(identity, await handler(call), request_id)
        elif identity.protocol == CBOR:
            response = serialize(identity, await self._base.call(*key, identity.region, params), request_id)
        else:
            response = await self._base.forward(*key, identity.request)
        if response.status < 400:
            self._tell(key, call)
        return response

    def _tell(self, key: Operation, call: Call) -> None:
        for watcher in self._watchers.get(key, ()):
            try:
                watcher(call)
            except Exception:
                self._log.exception("a watcher of %s:%s failed", *key)

    def _record(
        self, began: float, caller: Caller, identity: Identity | None, status: int, error: str | None, request_id: str
    ) -> None:
        self._recorder.add(
            at=began,
            caller_kind=caller.kind,
            caller=caller.name,
            service=identity.service if identity else "",
            operation=identity.operation if identity else "",
            region=identity.region if identity else "",
            status=status,
            error=error,
            seconds=self._clock.wall(self._clock.now() - began),
            request_id=request_id,
        )


@dataclass(frozen=True)
class InProcess:
    """The `Aws` of one part of the cloud: calls are made in its name."""

    dispatch: Dispatch
    caller: Caller

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.call(self.caller, service, operation, params)

    async def base(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return await self.dispatch.base_call(service, operation, params)
