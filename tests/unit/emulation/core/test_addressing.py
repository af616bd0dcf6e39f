"""Where tasks find this machine's servers."""

from __future__ import annotations

from webordinary_testkit.emulation.core.addressing import Addressing


def test_this_machines_servers_have_another_name_inside() -> None:
    addressing = Addressing(ports={4566})
    assert addressing.for_container("http://127.0.0.1:4566/q", "host") == "http://host:4566/q"
    assert addressing.for_container("http://localhost:4566", "host") == "http://host:4566"


def test_a_containers_own_loopback_stays_its_own() -> None:
    addressing = Addressing(ports={4566})
    for text in ("http://127.0.0.1:8080/", "http://localhost:45660", "x127.0.0.1:4566", "10.127.0.0.1:4566"):
        assert addressing.for_container(text, "host") == text


def test_without_containers_only_loopback_is_listened_on() -> None:
    assert list(Addressing().addresses()) == ["127.0.0.1"]
    assert Addressing().shared_host == "127.0.0.1"


def test_what_is_told_to_everybody_is_the_bridge_where_there_is_one() -> None:
    addressing = Addressing(bridge="172.18.0.1")
    assert list(addressing.addresses()) == ["127.0.0.1", "172.18.0.1"]
    assert addressing.shared_host == "172.18.0.1"
