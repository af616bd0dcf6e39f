"""emulation/services/elbv2/access_log.py"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.balancer import Lab, balancer, rule, says
from webordinary_testkit.emulation.services.elbv2.access_log import timestamp
from webordinary_testkit.emulation.services.elbv2.actions import Redirect

# https://docs.aws.amazon.com/athena/latest/ug/create-alb-access-logs-table.html reads lines with such an expression.
LINE = re.compile(
    r"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) "
    r'(|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) (.*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) '
    r'([^ ]*) "([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^ ]*)" '
    r'"([^\s]+?)" "([^\s]+)" "([^ ]*)" "([^ ]*)"'
)


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def test_a_forwarded_request_fills_every_field(lab: Lab) -> None:
    group = lab.group()
    await lab.route(rule("/none"), rule("/a", to=group))
    port = await lab.target(says("hello"))
    lab.register(group, port)
    await lab.fetch('/a?x="1"', headers={"User-Agent": 'a "quoted" agent'})
    line = (await lab.log())[0]
    found = LINE.fullmatch(line)
    assert found, line
    fields = found.groups()
    assert fields[0] == "http"
    assert fields[2] == "app/web/1234567890abcdef"
    assert fields[3] == "127.0.0.1"
    assert fields[5:7] == ("127.0.0.1", str(port))
    assert all(float(seconds) >= 0 for seconds in fields[7:10])
    assert fields[10:12] == ("200", "200")
    assert fields[14] == "GET"
    assert fields[15].startswith(f"{lab.url}/a?x=")
    assert fields[17] == "a \\x22quoted\\x22 agent"
    assert fields[20] == group.arn
    assert fields[21].startswith("Root=1-")
    assert fields[24] == "2"
    assert fields[26:29] == ("forward", "-", "-")
    assert fields[29:31] == (f"127.0.0.1:{port}", "200")


async def test_a_request_without_a_target_has_minus_ones(lab: Lab) -> None:
    await lab.route(rule("/*", to=lab.group()))
    await lab.fetch("/")
    line = (await lab.log())[0]
    assert " - -1 -1 -1 503 - " in line
    assert LINE.fullmatch(line), line


async def test_a_redirect_is_logged_with_its_url(lab: Lab) -> None:
    await lab.route(default=Redirect("#{protocol}", "site.test", "80", "/", "", 301))
    await lab.fetch("/")
    assert '"redirect" "http://site.test:80/"' in (await lab.log())[0]


async def test_every_request_has_its_line(lab: Lab) -> None:
    await lab.route()
    for n in range(20):
        await lab.fetch(f"/{n}")
    assert [line.split('"')[1].split("/")[3].split(" ")[0] for line in await lab.log(20)] == [str(n) for n in range(20)]


def test_timestamps_have_microseconds() -> None:
    assert timestamp(1_530_570_168.364) == "2018-07-02T22:22:48.364000Z"
