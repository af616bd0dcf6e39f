"""Keys in AWS's shapes, and whose they are."""

from __future__ import annotations

import re

import pytest

from webordinary_testkit.emulation.core.controller import Caller
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.gateway.callers import ANONYMOUS, AccessKeys

TASK = Caller("task", "arn:task")


def test_an_issued_key_is_its_callers() -> None:
    keys = AccessKeys(Ids.seeded(1))
    credentials = keys.issue(TASK)

    assert re.fullmatch(r"ASIA[A-Z0-9]{16}", credentials.access_key_id)
    assert keys.caller(credentials.access_key_id) == TASK


def test_each_caller_has_keys_of_its_own() -> None:
    keys = AccessKeys(Ids.seeded(1))

    assert keys.issue(TASK).access_key_id != keys.issue(TASK).access_key_id


def test_a_key_nobody_issued_is_a_users() -> None:
    assert AccessKeys(Ids.seeded(1)).caller("AKIAMINE") == Caller("external", "AKIAMINE")


def test_no_key_is_anonymous() -> None:
    assert AccessKeys(Ids.seeded(1)).caller("") == ANONYMOUS


def test_a_revoked_key_is_expired_and_revoking_twice_is_harmless() -> None:
    keys = AccessKeys(Ids.seeded(1))
    key = keys.issue(TASK).access_key_id
    keys.revoke(key)
    keys.revoke(key)
    keys.revoke("AKIAMINE")

    with pytest.raises(AwsError, match="expired"):
        keys.caller(key)
    assert keys.caller("AKIAMINE").kind == "external"


def test_each_cloud_draws_a_key_that_a_seed_does_not_repeat() -> None:
    one, other = AccessKeys(Ids.seeded(1)).root, AccessKeys(Ids.seeded(1)).root

    assert one.secret_access_key != other.secret_access_key
    assert one.access_key_id != other.access_key_id
