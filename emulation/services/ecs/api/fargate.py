"""Parses task sizes and checks them against the combinations that Fargate offers."""

from __future__ import annotations

import re

from ..errors import client_error

_GIB = 1024
_SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""CPU units → MiB (ECS developer guide, task definition parameters for Fargate, 2026)."""

_CPU = re.compile(r"\s*(\d*\.?\d+)\s*(vcpu)?\s*", re.IGNORECASE)
_MEMORY = re.compile(r"\s*(\d*\.?\d+)\s*(gb)?\s*", re.IGNORECASE)


def cpu_units(text: str) -> int:
    """CPU units of "256" or ".25 vCPU". Raises ClientException."""
    return _number(_CPU, text, "cpu")


def memory_mib(text: str) -> int:
    """MiB of "512" or "0.5 GB". Raises ClientException."""
    return _number(_MEMORY, text, "memory")


def _number(form: re.Pattern[str], text: str, what: str) -> int:
    match = form.fullmatch(text)
    if match is None or (not match[2] and not match[1].isdigit()):
        raise client_error(f"Invalid '{what}' setting for task. '{text}' is no valid value.")
    return int(float(match[1]) * _GIB) if match[2] else int(match[1])


def check_size(cpu: int, memory: int) -> None:
    """Raises ClientException for a combination that Fargate does not offer."""
    offered = _SIZES.get(cpu, ())
    if memory not in offered:
        allowed = f"{', '.join(map(str, offered))} MiB with {cpu} CPU units" if offered else f"CPU {sorted(_SIZES)}"
        raise client_error(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
            f"documentation for the valid values ({allowed}).",
        )
