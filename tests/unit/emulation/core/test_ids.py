"""Ids of one seed."""

from __future__ import annotations

from webordinary_testkit.emulation.core.ids import Ids


def test_an_id_does_not_depend_on_what_else_was_drawn() -> None:
    ids, others = Ids.seeded(1), Ids.seeded(1)
    for _ in range(5):
        others.uuid()
        others.hex(17)
        others.chance("load balancer").choice("ab")
    assert ids.hex(32) == others.hex(32)


def test_another_seed_and_no_seed_have_other_ids() -> None:
    assert len({Ids.seeded(1).uuid(), Ids.seeded(2).uuid(), Ids().uuid(), Ids().uuid()}) == 4
