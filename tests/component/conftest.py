"""What unit tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.world import World, world


@pytest_asyncio.fixture
async def bare_world() -> AsyncIterator[World]:
    """Gateway and base without any controller."""
    async with world() as w:
        yield w
