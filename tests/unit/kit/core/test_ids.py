"""Markers and run ids."""

from __future__ import annotations

import asyncio
import re

from tests.support.kit import START
from webordinary_testkit.kit.core.ids import Ids


def test_a_seeded_source_repeats_itself_and_an_unseeded_one_does_not() -> None:
    assert Ids(1).marker() == Ids(1).marker()
    assert Ids(None).marker() != Ids(None).marker()


def test_concurrent_tasks_have_the_same_ids_whichever_is_faster() -> None:
    async def both(first: float, second: float) -> list[list[str]]:
        ids = Ids(1)

        async def draw(pause: float) -> list[str]:
            one = ids.marker()
            await asyncio.sleep(pause)
            return [one, ids.marker()]

        async with asyncio.TaskGroup() as group:
            drawing = [group.create_task(draw(pause)) for pause in (first, second)]
        return [each.result() for each in drawing]

    assert asyncio.run(both(0, 0.01)) == asyncio.run(both(0.01, 0))


def test_a_marker_survives_paths_urls_and_mail_headers() -> None:
    source = Ids(3)
    markers = {source.marker() for _ in range(1000)}
    assert len(markers) == 1000
    assert all(re.fullmatch(r"[b-z][a-z0-9]{7}", marker) for marker in markers)


def test_run_ids_sort_by_time() -> None:
    source = Ids(5)
    assert source.run_id(START) < source.run_id(START + 1)
    assert source.run_id(START).startswith("20270115T080000Z-")


def test_message_ids_have_angle_brackets_and_the_domain() -> None:
    assert re.fullmatch(r"<[a-z0-9]{16}@it\.test>", Ids(5).message_id("it.test"))
