"""The order of things: what waits for what, circles, and walking all of it with nothing waiting in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from .references import references
from .template import ResourceTemplate

Dependencies = Mapping[str, frozenset[str]]
"""Each node's name with the nodes that must be there before it."""


def dependencies(resources: Mapping[str, ResourceTemplate]) -> dict[str, frozenset[str]]:
    """What each resource waits for: what it refers to and what its DependsOn names, as far as it is in `resources`."""
    return {
        name: frozenset(
            {reference.name for reference in references(resource.properties)} | set(resource.depends_on)
        ).intersection(resources)
        for name, resource in resources.items()
    }


def reverse(graph: Dependencies) -> dict[str, frozenset[str]]:
    """The order of deletion: each node waits for those that depend on it."""
    dependents: dict[str, set[str]] = {name: set() for name in graph}
    for name, needed in graph.items():
        for each in needed:
            if each in dependents:
                dependents[each].add(name)
    return {name: frozenset(names) for name, names in dependents.items()}


def circle(graph: Dependencies) -> list[str] | None:
    """One circle, as `[A, B, A]` (A depends on B, B on A), or None."""
    finished: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack: list[tuple[str, Iterable[str]]] = [(start, iter(sorted(graph[start])))]
        while stack:
            name, rest = stack[-1]
            if not path or path[-1] != name:
                path.append(name)
            following = next((each for each in rest if each not in finished), None)
            if following is None:
                finished.add(name)
                stack.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                stack.append((following, iter(sorted(graph[following]))))
    return None


def ordered(graph: Dependencies) -> list[str]:
    """The nodes, each after those it depends on; otherwise in the order of the graph. The graph has no circle."""
    done: dict[str, None] = {}
    waiting = dict.fromkeys(graph)
    while waiting:
        ready = [name for name in waiting if all(each in done or each not in graph for each in graph[name])]
        if not ready:
            raise ValueError(f"a circle among {sorted(waiting)}")
        for name in ready:
            done[name] = waiting.pop(name)
    return list(done)


async def walk(graph: Dependencies, visit: Callable[[str], Awaitable[bool]]) -> None:
    """Visit every node as soon as all it depends on were visited with success; returns when nothing more can be.

    `visit` says whether it succeeded; what depends on a failed node is not visited. An exception out of `visit`
    ends the walk, once the visits under way are done.
    """
    missing = {name: {each for each in needed if each in graph} for name, needed in graph.items()}
    dependents = reverse(graph)
    running: dict[asyncio.Task[bool], str] = {}

    def begin(names: Iterable[str]) -> None:
        for name in names:
            if not missing[name]:
                running[asyncio.ensure_future(visit(name))] = name

    begin(graph)
    try:
        while running:
            finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(finished, key=lambda each: list(graph).index(running[each])):
                name = running.pop(task)
                if task.result():
                    for dependent in dependents[name]:
                        missing[dependent].discard(name)
                    begin(each for each in graph if each in dependents[name])
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
