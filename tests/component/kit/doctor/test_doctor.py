"""The doctor's judgement, where it needs no account; the rest is seen in a rehearsal."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from dns.asyncresolver import Resolver

from tests.support.kit import some_settings
from webordinary_testkit.emulation.system.edit.astro import toolchain
from webordinary_testkit.kit.aws.template import Template
from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.doctor import DoctorFinding, Level, machine, run_checks
from webordinary_testkit.kit.doctor.account_state import vcpus
from webordinary_testkit.kit.doctor.mail import covers
from webordinary_testkit.kit.doctor.mx import mail_hosts


@pytest.mark.parametrize(
    ("name", "host", "holds"),
    [
        ("it.example.com", "it.example.com", True),
        ("*.example.com", "IT.example.com", True),
        ("*.example.com", "a.it.example.com", False),
        ("*.example.com", "example.com", False),
        ("it.example.com", "", False),
    ],
)
def test_a_star_in_a_certificate_stands_for_one_label(name: str, host: str, holds: bool) -> None:
    assert covers(name, host) is holds


def test_tasks_need_what_they_may_scale_to_twice_while_they_are_replaced() -> None:
    template = """
Resources:
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Cpu: "512"}}
  One: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MaxCapacity: 3}}
"""
    assert vcpus(Template.read(template)) == 3.0


async def test_a_check_that_fails_is_told_and_stops_no_other() -> None:
    async def breaks() -> Sequence[DoctorFinding]:
        raise OSError("no route to host")

    async def refuses() -> Sequence[DoctorFinding]:
        raise UsageError("not verified", where="SES", next="verify it")

    async def well() -> Sequence[DoctorFinding]:
        return [DoctorFinding(Level.OK, "three", "fine")]

    found = [finding async for finding in run_checks([("one", breaks), ("two", refuses), ("three", well)])]
    assert [(each.level, each.what) for each in found] == [("fail", "one"), ("fail", "two"), ("ok", "three")]
    assert (
        "no route to host" in found[0].seen and found[1].seen == "not verified (SES)" and found[1].next == "verify it"
    )


async def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = some_settings(emulated={"port": taken.getsockname()[1]})
        found = [each async for each in run_checks(machine.checks(settings)) if each.what == "ports"]
    assert [each.level for each in found] == ["fail"] and "emulated.port" in found[0].seen


@pytest.mark.parametrize(
    ("emulated", "hidden", "level", "said"),
    [
        ({}, "", "ok", "jumps to the next timer"),
        ({"scale": 60}, "", "ok", "60 × wall time"),
        ({}, "no /proc", "fail", "no /proc"),
        ({"scale": 60}, "no /proc", "warn", "no /proc"),
    ],
)
async def test_whether_aws_time_can_jump(
    monkeypatch: pytest.MonkeyPatch, emulated: dict[str, float], hidden: str, level: str, said: str
) -> None:
    monkeypatch.setattr(machine, "unsupported", lambda: hidden)
    checks = machine.checks(some_settings(emulated=emulated))
    (found,) = [each async for each in run_checks(checks) if each.what == "clock"]
    assert (found.level, said in found.seen) == (level, True)
    assert bool(found.next) is (level != "ok")


def test_the_command_looks_at_this_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["doctor", "--mode", "emulated"])
    told = capsys.readouterr().out
    assert code == 0 and "ok    git" in told and "0 fail" in told


@pytest.mark.usefixtures("no_credentials")
def test_without_credentials_it_says_so_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--mode", "live"])
    told = capsys.readouterr().out
    assert code == 1
    assert "fail  account" in told and "set aws_profile, or AWS_ACCESS_KEY_ID" in told
    assert "fail  settings" in told and "names no registry" in told


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


class _NameServer(asyncio.DatagramProtocol):
    """Answers with two MX records, the second one's name by a pointer into the first."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = data[12:]
        head = data[:2] + b"\x81\x80\0\1\0\2\0\0\0\0"
        at = len(head) + len(question) + 12 + 2  # where the first answer's host begins
        host = b"\x04mail\x07example\0"
        first = b"\xc0\x0c\0\x0f\0\1\0\0\0\x3c" + (2 + len(host)).to_bytes(2, "big") + b"\0\x14" + host
        second_host = b"\x05first" + (0xC000 | (at + 5)).to_bytes(2, "big")
        second = b"\xc0\x0c\0\x0f\0\1\0\0\0\x3c" + (2 + len(second_host)).to_bytes(2, "big") + b"\0\x0a" + second_host
        self.transport.sendto(head + question + first + second, addr)


async def test_mail_hosts_come_in_the_order_of_their_preference() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_NameServer, ("127.0.0.1", 0))
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    assert await mail_hosts("it.example", resolver) == [(10, "first.example"), (20, "mail.example")]
    transport.close()


def test_the_node_it_asks_for_is_the_one_that_real_astro_takes() -> None:
    assert machine._NODE[:2] == toolchain.OLDEST_NODE
