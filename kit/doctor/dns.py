"""Which hosts take a domain's mail: one question to the system's name server, as RFC 1035 writes it."""

from __future__ import annotations

import asyncio
import secrets
import struct
from pathlib import Path

from ..core.errors import InfraError

_MX, _IN = 15, 1
_PORT = 53
_WITHIN = 4.0
"""Wall seconds."""
_RESOLV = Path("/etc/resolv.conf")


async def mail_hosts(domain: str) -> list[tuple[int, str]]:
    """Preference and name of each MX record, the first one first; empty when there is none. Raises `InfraError` when
    no name server answers."""
    server = _server()
    question = _question(domain)
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    class Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            if data[:2] == question[:2]:
                answers.put_nowait(data)

        def error_received(self, exc: Exception) -> None:
            answers.put_nowait(b"")

    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=(server, _PORT))
    except OSError as error:
        raise _silent(server) from error
    try:
        for _ in range(2):
            transport.sendto(question)
            try:
                async with asyncio.timeout(_WITHIN / 2):
                    answer = await answers.get()
            except TimeoutError:
                continue
            if not answer:
                break
            return _hosts(answer)
    finally:
        transport.close()
    raise _silent(server)


def _silent(server: str) -> InfraError:
    return InfraError(
        f"the name server {server} does not answer", next="look at /etc/resolv.conf, or ask another machine"
    )


def _server() -> str:
    try:
        lines = _RESOLV.read_text().splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    return next((each[1] for each in words if len(each) > 1 and each[0] == "nameserver"), "127.0.0.1")


def _question(domain: str) -> bytes:
    head = struct.pack(">HHHHHH", secrets.randbits(16), 0x0100, 1, 0, 0, 0)
    name = b"".join(bytes([len(label)]) + label.encode("idna") for label in domain.strip(".").split(".")) + b"\0"
    return head + name + struct.pack(">HH", _MX, _IN)


def _hosts(answer: bytes) -> list[tuple[int, str]]:
    questions, answers = struct.unpack_from(">HH", answer, 4)
    at = 12
    for _ in range(questions):
        _, at = _name(answer, at)
        at += 4
    found = []
    for _ in range(answers):
        _, at = _name(answer, at)
        kind, _, _, length = struct.unpack_from(">HHIH", answer, at)
        at += 10
        if kind == _MX:
            found.append((struct.unpack_from(">H", answer, at)[0], _name(answer, at + 2)[0].lower()))
        at += length
    return sorted(found)


def _name(data: bytes, at: int, depth: int = 0) -> tuple[str, int]:
    """A name and where it ends; a pointer leads to the rest of it elsewhere."""
    labels: list[str] = []
    while (length := data[at]) != 0:
        if length >= 0xC0:
            if depth > 16:
                raise InfraError("the name server's answer goes round in circles")
            rest, _ = _name(data, struct.unpack_from(">H", data, at)[0] & 0x3FFF, depth + 1)
            return ".".join(filter(None, [*labels, rest])), at + 2
        labels.append(data[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels), at + 1
