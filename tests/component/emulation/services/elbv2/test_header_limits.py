"""What load balancers do with a request's headers: limits, spelling, codings and invalid names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
import pytest_asyncio

from tests.support.balancer import Lab, balancer, rule


async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A target that answers with the head of the request."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(head) + head)
    await writer.drain()
    writer.close()


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        group = made.group()
        await made.route(rule("/*", to=group))
        made.register(group, await made.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), mirror)))
        yield made


def request(*headers: bytes) -> bytes:
    return b"\r\n".join([b"GET / HTTP/1.1", b"Host: x", *headers, b"Connection: close", b"", b""])


async def test_the_number_of_headers_has_no_limit(lab: Lab) -> None:
    answer = await lab.raw(request(*(b"a%d: b" % number for number in range(1000))))
    assert answer.startswith(b"HTTP/1.1 200") and b"\r\na999: b\r\n" in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"a%d: " % number + b"x" * 15_000 for number in range(4)], b"200"),
        ([b"a%d: " % number + b"x" * 15_000 for number in range(5)], b"400"),
        ([b"a%d: " % number + b"x" * 10_000 for number in range(7)], b"400"),
        ([b"a: " + b"x" * 17_000], b"400"),
    ],
)
async def test_all_headers_have_64_k_and_one_has_16_k(lab: Lab, headers: list[bytes], status: bytes) -> None:
    assert (await lab.raw(request(*headers))).startswith(b"HTTP/1.1 " + status)


async def test_a_header_in_two_spellings_reaches_the_target_twice(lab: Lab) -> None:
    answer = await lab.raw(request(b"X-Dup: 1", b"x-dup: 2"))
    assert answer.lower().count(b"\r\nx-dup: ") == 2


@pytest.mark.parametrize(("coding", "status"), [(b"gzip, chunked", b"501"), (b"chunked", b"200")])
async def test_transfer_codings_but_chunked_are_not_implemented(lab: Lab, coding: bytes, status: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: " + coding
    assert (await lab.raw(head + b"\r\n\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("drops", [True, False])
async def test_invalid_names_are_dropped_where_the_load_balancer_says_so(lab: Lab, drops: bool) -> None:
    lab.load_balancer = replace(lab.load_balancer, drops_invalid_headers=drops)
    group = lab.group("again")
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), mirror)))
    answer = (await lab.raw(request(b"X_F: 1", b"X.H: 2", b"X-Good: 3"))).lower()
    assert [name in answer for name in (b"x_f", b"x.h", b"x-good")] == [not drops, not drops, True]


async def test_a_malformed_request_gets_the_load_balancers_own_400(lab: Lab) -> None:
    await lab.clock.sleep(90)
    answer = await lab.raw(b"GET /x HTTP/1.1\r\nbroken header\r\n\r\n")
    head = answer.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400")
    date = next(line for line in head.splitlines() if line.startswith("Date: "))
    ahead = parsedate_to_datetime(date.removeprefix("Date: ")).timestamp() - time.time()
    assert 60 < ahead < 600, "the date is not on the cloud's clock"
