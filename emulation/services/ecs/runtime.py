"""The seam below the scheduler: what runs containers. Local processes or Docker, the scheduler cannot tell.

    TaskRun --prepare--> Sandbox      the task's place: an address, its ports
    TaskRun --pull-----> digest       per image
    TaskRun --start----> RunningContainer      per container; signal, kill, wait, run a command, open a terminal
    TaskRun --release-->              nothing of the task is left

Every runtime passes `tests/support/runtime_conformance.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..efs.controller import NamedVolume

if TYPE_CHECKING:
    import signal

    from .exec.terminal import Terminal

Output = Callable[[bytes], Awaitable[None]]
"""Takes what a container wrote, each of stdout and stderr in the order of writing. Awaited: a slow reader slows the
writer."""

METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
"""A different value in each container, handed down to all its processes: they can be told by it."""


class CannotPull(Exception):
    """The image is not to be had. The text becomes CannotPullContainerError's."""


class CannotStart(Exception):
    """The container's program could not be started, or no place be made for its task. The text becomes
    CannotStartContainerError's, or ResourceInitializationError's."""


@dataclass(frozen=True)
class Mount:
    source: Path | NamedVolume
    """A folder of this machine, or a volume of the engine that this runtime uses."""
    target: str
    """Where the container finds it."""
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """One container to start, everything resolved."""

    name: str
    image: str
    environment: Mapping[str, str]
    """As the container shall see it; URLs of the emulated cloud as this machine sees them."""
    command: Sequence[str] = ()
    """Arguments, replacing the image's own (Docker's CMD)."""
    entry_point: Sequence[str] = ()
    """Replaces the image's program (Docker's ENTRYPOINT)."""
    mounts: Sequence[Mount] = ()
    ports: Sequence[int] = ()
    working_directory: str | None = None
    user: str | None = None
    init_process: bool = False
    read_only: bool = False
    """Its root file system; mounts are their own."""
    cpu_units: int = 0
    memory_mib: int | None = None


@dataclass(frozen=True)
class TaskSpec:
    """A task to make place for."""

    id: str
    arn: str
    folder: Path
    """The task's own, empty, removed after `release`."""
    ports: Sequence[int]
    """All ports its containers listen on; within a task they are unique."""
    vcpus: float
    memory_mib: float
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: int = 1
    """How many there will be; they share one network."""


@dataclass(frozen=True)
class Sandbox:
    """A task's place on this machine."""

    task: TaskSpec
    address: str
    """Where the load balancer reaches the task."""
    ports: Mapping[int, int]
    """Container port → port at `address`."""


@dataclass(frozen=True)
class Usage:
    cpu_seconds: float
    """Of all its processes since it started."""
    memory_bytes: int


class RunningContainer(Protocol):
    """One started container. Ends when its first process ends: whatever that left behind is killed with it."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process, as `docker stop` does. Nothing happens when it has ended."""
        ...

    def kill(self) -> None:
        """SIGKILL to everything in it, at once. Nothing happens when it has ended."""
        ...

    def pause(self) -> None:
        """Let nothing in it run on, until `resume`; it can be killed all the same. Nothing happens when it has
        ended."""
        ...

    def resume(self) -> None:
        """Let it run on. Nothing happens when it was not paused, or has ended."""
        ...

    async def wait(self) -> int:
        """The exit code (128 + n after signal n), once it has ended and all its output was delivered."""
        ...

    @property
    def out_of_memory(self) -> bool:
        """Whether it was killed because it used more memory than it may. Known once `wait` has returned."""
        ...

    async def run(self, argv: Sequence[str]) -> int:
        """Run a command inside it, as a health check does, and return its exit code. 126/127 when it cannot be
        run. Cancelled, it kills the command."""
        ...

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        """Start a command inside it on a terminal of its own, as ECS Exec does. Raises `OSError`."""
        ...


@runtime_checkable
class IsolatedContainer(Protocol):
    """A `Running` with limits and a network of its own, which can be taken from it and given back. A process of this
    machine has none of them, so a runtime need not offer it."""

    async def allow_cpus(self, cpus: float | None) -> None:
        """Let it use so many CPUs of this machine, or as many as at its start. Nothing happens when it has ended.
        Raises `OSError` when that cannot be done."""
        ...

    async def unplug(self) -> None:
        """Take its task's network away, published ports included. Nothing happens when it has ended. Raises
        `OSError`."""
        ...

    async def plug_in(self) -> None:
        """Give the network back, the same ports at the same place. Nothing happens when it has it, or has ended.
        Raises `OSError`."""
        ...


class Runtime(Protocol):
    """Runs the containers of tasks."""

    async def prepare(self, task: TaskSpec) -> Sandbox:
        """Make a place for a task: reserve its address and ports. Starts none of its containers. Raises `CannotStart`,
        and `OSError` when no port is free; nothing of the task is left then."""
        ...

    async def pull(self, image: str) -> str:
        """Make the image available and return its digest. May be cancelled. Raises `CannotPull`."""
        ...

    async def start(self, sandbox: Sandbox, container: ContainerSpec, output: Output) -> RunningContainer:
        """Start a pulled image. Returns when its first process runs. Raises `CannotStart`."""
        ...

    async def usage(self) -> Mapping[tuple[str, str], Usage]:
        """What every running container uses now, by (task id, container name)."""
        ...

    async def release(self, sandbox: Sandbox) -> None:
        """Give the place back. Kills what still runs there. May be called twice."""
        ...
