"""Invocations: synchronous ones, and asynchronous ones with their retries.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Context
from ...core.errors import AwsError
from ..iam import allows
from .environment import Outcome
from .fleet import Fleet
from .function import Function, Functions
from .results import Event, Results

RETRY_AFTER = (60.0, 120.0)
"""AWS seconds before the first and the second retry of an event that failed."""
_THROTTLED_FIRST, _THROTTLED_MOST = 1.0, 300.0
"""AWS seconds between attempts of an event that was throttled; they double."""
_LONGEST_AGE = 21_600
"""AWS seconds for which an asynchronous event is tried."""


class Invoker:
    def __init__(self, ctx: Context, functions: Functions, fleet: Fleet) -> None:
        self._ctx = ctx
        self._functions = functions
        self._fleet = fleet
        self._results = Results(ctx)
        self._tasks = BackgroundTasks(ctx.log)

    async def stop(self) -> None:
        await self._tasks.stop()

    async def run(self, function: Function, payload: bytes, request_id: str = "") -> Outcome:
        """Invoke a function and wait for its end. Raises `AwsError` when it is throttled."""
        return await self._fleet.run(function, request_id or self._ctx.ids.uuid(), payload or b"{}")

    async def for_service(self, service: str, source_arn: str, arn: str, payload: bytes) -> Outcome:
        """Invoke a function synchronously for a service such as elasticloadbalancing.amazonaws.com. Raises `AwsError`
        for a function that does not exist, does not permit it, or is throttled."""
        return await self.run(self.permitted(service, source_arn, arn), payload)

    def permitted(self, service: str, source_arn: str, arn: str) -> Function:
        """The function, if its policy lets the service invoke it for this resource. Raises `AwsError`."""
        function = self._functions.get(arn)
        keys = {"aws:sourcearn": source_arn, "aws:sourceaccount": self._ctx.account}
        statements = [each for each in function.policy.values() if each["Principal"] in ("*", {"Service": service})]
        if not allows(statements, "lambda:InvokeFunction", function.arn, keys):
            raise AwsError(
                "AccessDeniedException",
                f"{service} is not authorized to perform: lambda:InvokeFunction on resource: {function.arn} because no "
                f"resource-based policy allows the lambda:InvokeFunction action",
                status=403,
            )
        return function

    def queue(self, function: Function, payload: bytes, request_id: str = "") -> None:
        """Invoke a function asynchronously."""
        event = Event(function, payload or b"{}", request_id or self._ctx.ids.uuid(), self._ctx.clock.now())
        self._tasks.run(f"an event of the function {function.name}", self._event(event))

    async def _event(self, event: Event) -> None:
        function, pause = event.function, _THROTTLED_FIRST
        await self._ctx.latency.resource(f"event of {function.name}").wait("lambda.event.dispatch")
        longest = float(function.retries.get("MaximumEventAgeInSeconds", _LONGEST_AGE))
        most = int(function.retries.get("MaximumRetryAttempts", len(RETRY_AFTER)))
        while self._functions.by_name.get(function.name) is function:
            try:
                event.outcome = await self.run(function, event.payload, event.request_id)
            except AwsError:
                wait, pause = pause, min(pause * 2, _THROTTLED_MOST)
            else:
                event.attempts += 1
                if not event.outcome.error:
                    await self._results.succeeded(event)
                    return
                if event.attempts > most:
                    await self._results.failed(event, "RetriesExhausted")
                    return
                wait = RETRY_AFTER[event.attempts - 1]
            if self._ctx.clock.now() + wait - event.queued > longest:
                await self._results.failed(event, "EventAgeExceeded")
                return
            await self._ctx.clock.sleep(wait)
