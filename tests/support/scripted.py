"""A controller that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from webordinary_testkit.emulation.core.controller import Call, Context, Handler, Operation, Watcher

Answer = Mapping[str, Any] | Exception | Handler
"""A result, an error to raise, or a handler."""


class Scripted:
    def __init__(self, answers: Mapping[Operation, Answer], watch: Mapping[Operation, Watcher] | None = None) -> None:
        self._answers = dict(answers)
        self._watch = dict(watch or {})
        self.calls: list[Call] = []

    def handlers(self) -> Mapping[Operation, Handler]:
        return dict.fromkeys(self._answers, self._answer)

    def watchers(self) -> Mapping[Operation, Watcher]:
        return self._watch

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def _answer(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        answer = self._answers[call.service, call.operation]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return await answer(call)
        return dict(answer)


def scripted(
    answers: Mapping[Operation, Answer], watch: Mapping[Operation, Watcher] | None = None
) -> Callable[[Context], Scripted]:
    """A factory for `world`."""
    return lambda _: Scripted(answers, watch)
