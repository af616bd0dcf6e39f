"""Hypothesis profiles: `nox -s fast` tries fewer examples. Tests run on the event loop of the programs."""

import pytest
from hypothesis import settings

from webordinary_testkit.awsclock.loop import Loop

settings.register_profile("fast", max_examples=20)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, type[Loop]]:
    return {"kit": Loop}
