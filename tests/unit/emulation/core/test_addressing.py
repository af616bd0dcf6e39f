"""Where tasks find this machine's servers."""

from __future__ import annotations

from webordinary_testkit.emulation.core.addressing import Reach


def test_this_machines_servers_have_another_name_inside() -> None:
    reach = Reach(ports={4566})
    assert reach.inside("http://127.0.0.1:4566/q", "host") == "http://host:4566/q"
    assert reach.inside("http://localhost:4566", "host") == "http://host:4566"


def test_a_containers_own_loopback_stays_its_own() -> None:
    reach = Reach(ports={4566})
    for text in ("http://127.0.0.1:8080/", "http://localhost:45660", "x127.0.0.1:4566", "10.127.0.0.1:4566"):
        assert reach.inside(text, "host") == text


def test_without_containers_only_loopback_is_listened_on() -> None:
    assert list(Reach().addresses()) == ["127.0.0.1"]
    assert Reach().shared == "127.0.0.1"


def test_what_is_told_to_everybody_is_the_bridge_where_there_is_one() -> None:
    reach = Reach(bridge="172.18.0.1")
    assert list(reach.addresses()) == ["127.0.0.1", "172.18.0.1"]
    assert reach.shared == "172.18.0.1"
