"""Order, circles, and walking a graph."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.cloudformation.graph import circle, dependencies, ordered, reverse, walk
from webordinary_testkit.emulation.services.cloudformation.template import load

Graph = dict[str, frozenset[str]]


@st.composite
def acyclic(draw: st.DrawFn) -> Graph:
    """Any graph in which a node depends on earlier ones only, its nodes in any order."""
    names = [f"N{index}" for index in range(draw(st.integers(1, 9)))]
    graph = {
        name: frozenset(draw(st.sets(st.sampled_from(names[:index])))) if index else frozenset()
        for index, name in enumerate(names)
    }
    return {name: graph[name] for name in draw(st.permutations(names))}


def test_a_resource_waits_for_what_it_refers_to_and_depends_on() -> None:
    template = load("""
Parameters: {Name: {Type: String}}
Resources:
  Table: {Type: T, DependsOn: Other}
  Other: {Type: T}
  Queue:
    Type: T
    DependsOn: [Other]
    Properties:
      A: !Sub ["${Table.Arn}-${Name}-${mine}", {mine: !GetAtt Topic.Arn}]
      B: !If [Live, !Ref Table, {"Fn::GetAtt": Later.Arn}]
  Topic: {Type: T}
  Later: {Type: T}
""")
    assert dependencies(template.resources) == {
        "Table": {"Other"},
        "Other": frozenset(),
        "Queue": {"Other", "Table", "Topic", "Later"},
        "Topic": frozenset(),
        "Later": frozenset(),
    }


def test_a_circle_is_told_round() -> None:
    graph = {"A": frozenset({"B"}), "B": frozenset({"C"}), "C": frozenset({"B"}), "D": frozenset[str]()}
    assert circle(graph) == ["B", "C", "B"]


def test_a_resource_that_needs_itself_is_a_circle() -> None:
    assert circle({"A": frozenset({"A"})}) == ["A", "A"]


@given(acyclic())
def test_no_circle_is_found_where_there_is_none(graph: Graph) -> None:
    assert circle(graph) is None


@given(acyclic(), st.data())
def test_closing_a_path_makes_a_circle(graph: Graph, data: st.DataObject) -> None:
    end = data.draw(st.sampled_from(sorted(graph)))
    start = end
    while graph[start]:
        start = data.draw(st.sampled_from(sorted(graph[start])))
    closed = {**graph, start: graph[start] | {end}}
    found = circle(closed)
    assert found is not None
    assert found[0] == found[-1]
    assert all(after in closed[before] for before, after in pairwise(found))


@given(acyclic())
def test_in_order_everything_comes_after_what_it_needs(graph: Graph) -> None:
    order = ordered(graph)
    assert sorted(order) == sorted(graph)
    assert all(order.index(needed) < order.index(name) for name in graph for needed in graph[name])


@given(acyclic())
def test_reversing_twice_changes_nothing(graph: Graph) -> None:
    assert reverse(reverse(graph)) == graph


@given(acyclic(), st.data())
async def test_a_walk_visits_all_but_what_depends_on_a_failure(graph: Graph, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from(sorted(graph))))
    ended: list[str] = []

    async def visit(name: str) -> bool:
        assert graph[name] <= set(ended) - failing
        await asyncio.sleep(0)
        ended.append(name)
        return name not in failing

    await walk(graph, visit)

    def reachable(name: str) -> bool:
        return all(needed not in failing and reachable(needed) for needed in graph[name])

    assert sorted(ended) == sorted(name for name in graph if reachable(name))


async def test_what_is_independent_is_visited_at_the_same_time() -> None:
    together = asyncio.Barrier(3)

    async def visit(name: str) -> bool:
        async with asyncio.timeout(5):
            await together.wait()
        return True

    await walk({name: frozenset() for name in "ABC"}, visit)


async def test_an_exception_ends_the_walk_and_what_was_under_way() -> None:
    cancelled = asyncio.Event()

    async def visit(name: str) -> bool:
        if name == "A":
            await asyncio.sleep(0)
            raise ValueError("broken")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return True

    with pytest.raises(ValueError, match="broken"):
        await walk({"A": frozenset(), "B": frozenset()}, visit)
    assert cancelled.is_set()
