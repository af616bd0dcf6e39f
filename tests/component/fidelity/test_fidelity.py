"""The emulated cloud answers every fact as AWS does, but for those that say why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fidelity import facts, targets
from tests.fidelity.perform import Target, difference

ALL = [fact for service in facts.services() for fact in facts.load(service)]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Target]:
    with targets.emulated(scale=60) as target:
        yield target


@pytest.mark.parametrize("fact", [pytest.param(fact, id=fact.id) for fact in ALL])
def test_facts(cloud: Target, fact: facts.Fact) -> None:
    seen = difference(fact, cloud)
    if fact.open:
        assert seen, "passes now: remove `open` from the fact"
        pytest.xfail(fact.open)
    assert not seen
