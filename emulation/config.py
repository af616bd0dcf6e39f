"""The settings of an emulated cloud, and their JSON form on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

RUNTIMES = ("process", "docker")
BASES = ("moto", "localstack")
CLOCKS = ("scaled", "autojump")
_URL = re.compile(r"https?://[^/\s?#]+/?")


@dataclass(frozen=True)
class CloudConfig:
    """The settings of one emulated cloud. Raises ValueError for invalid values."""

    region: str = "us-west-2"
    account: str = "123456789012"
    scale: float = 60.0
    """AWS seconds that pass in one wall second."""
    clock: str = "scaled"
    """"autojump": AWS time passes as wall time while anything works, and jumps to the next timer when nothing does and
    a driver waits for it; without a `scale`."""
    port: int = 0
    """Of the gateway, on 127.0.0.1; 0 takes a free one."""
    smtp_port: int = 0
    load_balancer_port: int = 0
    """Of the first load balancer; 0 takes a free one."""
    hosts: Sequence[str] = ()
    """Further host names under which clients address the gateway and load balancers; any other is refused."""
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Image name → the program to run instead of it."""
    warm: Sequence[str] = ()
    """Packages that programs run by this Python's `-m`: each start is a fork of a process that imported the package's
    module `warm`, which imports what the program needs and starts no thread. Linux only; elsewhere without effect."""
    runtime: str = "process"
    """Run containers as a "process" of this machine, or with "docker"."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Image name → the engine's image to run instead; those named here must exist at the start."""
    volume_mib: int = 0
    """Size of a file system with "docker", in MiB of the engine's memory, so that it can be filled up. 0: as large as
    the engine's disk."""
    base: str = "moto"
    """The state store: "moto" in this process, a "localstack" container, or an endpoint's URL."""
    base_services: Sequence[str] = ()
    """Services to take from such a container or endpoint, by botocore's names; () takes all it has."""
    localstack_image: str = "localstack/localstack:4.14.0"
    workdir: Path | None = None
    """An empty folder for the run, removed at the end; None makes a temporary one."""
    record: Path | None = None
    """A file to append every call to, as JSON lines."""
    seed: int | None = None
    """Makes ids and delays deterministic."""
    latency: str = "none"
    """The latency profile: a name of `emulation.time.profile.known`, or a TOML file's path."""
    delays: Path | None = None
    """A file that gets the profile and every delay, as JSON lines; none with the profile "none"."""
    insecure_keys: str = ""
    """Access key and secret of the run; any other key is accepted too, and no signature is verified. If empty,
    the cloud draws a key for the run and verifies every signature."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{12}", self.account):
            raise ValueError(f"account must be 12 digits, got {self.account!r}")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region):
            raise ValueError(f"region must be an AWS region such as us-west-2, got {self.region!r}")
        if self.runtime not in RUNTIMES:
            raise ValueError(f"runtime must be one of {', '.join(RUNTIMES)}, got {self.runtime!r}")
        if self.base not in BASES and not _URL.fullmatch(self.base):
            raise ValueError(
                f"base must be one of {', '.join(BASES)}, or the URL of an AWS-compatible endpoint such as "
                f"http://127.0.0.1:5000, got {self.base!r}"
            )
        if self.volume_mib < 0:
            raise ValueError(f"volume_mib must be 0 (as much as the engine's disk) or more, got {self.volume_mib!r}")
        if self.clock not in CLOCKS:
            raise ValueError(f"clock must be one of {', '.join(CLOCKS)}, got {self.clock!r}")
        if self.clock == "autojump" and (self.base != "moto" or self.runtime != "process"):
            raise ValueError(
                'clock "autojump" needs the base "moto" and the runtime "process", whose threads the clock can watch; '
                f"got the base {self.base!r} and the runtime {self.runtime!r}"
            )
        if not self.scale > 0:
            raise ValueError(f"scale must be above 0 (1 is real time), got {self.scale!r}")
        for name in ("port", "smtp_port", "load_balancer_port"):
            port = getattr(self, name)
            if not 0 <= port <= 65535:
                raise ValueError(f"{name} must be 0 (any free one) to 65535, got {port!r}")


def from_json(text: str, source: str) -> CloudConfig:
    """The settings in a JSON object whose keys are those of `CloudConfig`. Raises ValueError with the
    source, the key and its valid values."""
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ValueError(f"{source} must be a JSON object, got {text.strip()[:60]}")
    known = {item.name for item in fields(CloudConfig)}
    if given.get("clock") == "autojump" and "scale" in given:
        raise ValueError(f"{source}: a clock that jumps has no scale, got {json.dumps(given['scale'])}: leave one out")
    unknown = sorted(given.keys() - known)
    if unknown:
        raise ValueError(f"{source}: unknown key {', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}")
    for key, value in given.items():
        if not _KINDS[key].accepts(value):
            raise ValueError(f"{source}: {key} must be {_KINDS[key].described}, got {json.dumps(value)}")
    paths = {key: Path(given[key]) for key in ("workdir", "record", "delays") if given.get(key) is not None}
    try:
        return CloudConfig(**{**given, **paths})
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


@dataclass(frozen=True)
class _Kind:
    types: tuple[type, ...]
    described: str
    holds: Callable[[Any], bool] | None = None
    """What each value of an object must be."""

    def accepts(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, self.types):
            return False
        return self.holds is None or not isinstance(value, dict) or all(map(self.holds, value.values()))


def _is_command(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


_TEXT = _Kind((str,), "a string")
_PATH = _Kind((str, type(None)), "a path or null")
_PORT = _Kind((int,), "a port number")
_KINDS = {
    "region": _TEXT,
    "account": _TEXT,
    "scale": _Kind((int, float), "a number"),
    "clock": _TEXT,
    "port": _PORT,
    "smtp_port": _PORT,
    "load_balancer_port": _PORT,
    "hosts": _Kind((list,), 'a list of host names, such as ["preview.example.com"]'),
    "programs": _Kind(
        (dict,), 'an object of image names and commands, such as {"web:1": ["python", "web.py"]}', _is_command
    ),
    "warm": _Kind((list,), 'a list of package names, such as ["web"]'),
    "runtime": _TEXT,
    "images": _Kind(
        (dict,), 'an object of image names, such as {"web:1": "my/web:2"}', lambda each: isinstance(each, str)
    ),
    "volume_mib": _Kind((int,), "a number of MiB"),
    "base": _TEXT,
    "base_services": _Kind((list,), 'a list of service names, such as ["sqs", "sns", "s3"]'),
    "localstack_image": _TEXT,
    "workdir": _PATH,
    "record": _PATH,
    "seed": _Kind((int, type(None)), "an integer or null"),
    "latency": _TEXT,
    "delays": _PATH,
    "insecure_keys": _TEXT,
}
