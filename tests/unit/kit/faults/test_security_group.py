"""kit/faults/security_group.py: rules without one target."""

from __future__ import annotations

from typing import Any

from webordinary_testkit.kit.faults.security_group import exclude_target

ALL: dict[str, Any] = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "UserIdGroupPairs": []}


def test_everything_but_one_address_and_there_everything_but_one_port() -> None:
    change = exclude_target({"GroupId": "sg", "IpPermissionsEgress": [ALL]}, "10.42.0.9", 8080)

    assert change is not None
    assert change.lost == ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},)
    ranges, *ports = change.instead
    assert len(ranges["IpRanges"]) == 32
    assert [(each["FromPort"], each["ToPort"]) for each in ports] == [(0, 8079), (8081, 65535)]
    assert sum(len(each["IpRanges"]) for each in change.instead) <= 60  # a group's quota


def test_rules_that_do_not_concern_the_target_stay() -> None:
    elsewhere = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    other_port = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}

    assert exclude_target({"GroupId": "sg", "IpPermissionsEgress": [elsewhere, other_port]}, "10.42.0.9", 8080) is None


def test_a_rule_by_group_goes_whole_and_comes_back_whole() -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": "sg-task"}]}
    change = exclude_target({"GroupId": "sg", "IpPermissionsEgress": [rule]}, "10.42.0.9", 8080)

    assert change is not None
    assert (change.lost, change.instead) == ((rule,), ())
