"""Dependency graphs: order, circles, and a concurrent walk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from .references import references
from .template import ResourceTemplate

Dependencies = Mapping[str, frozenset[str]]
"""Each node with the nodes it depends on."""


def dependencies(resources: Mapping[str, ResourceTemplate]) -> dict[str, frozenset[str]]:
    """The resources that each one refers to, or names in DependsOn."""
    return {
        name: frozenset(
            {reference.name for reference in references(resource.properties)} | set(resource.depends_on)
        ).intersection(resources)
        for name, resource in resources.items()
    }


def reverse(graph: Dependencies) -> dict[str, frozenset[str]]:
    """The deletion order: each node depends on its dependents."""
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
    """Visit every node as soon as all its dependencies were visited with success.

    `visit` returns whether it succeeded; dependents of a failed node are not visited. An exception in `visit` ends
    the walk and cancels the visits under way.
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
        if running:
            await asyncio.wait(running)
