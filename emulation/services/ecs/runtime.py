"""The interface of container runtimes: local processes or Docker.

    TaskRun --prepare--> Sandbox      the task's address and ports
    TaskRun --pull-----> digest       per image
    TaskRun --start----> RunningContainer      per container; signal, kill, wait, run a command, open a terminal
    TaskRun --release-->              removes everything of the task

Every runtime passes `tests/support/runtime_conformance.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..efs import NamedVolume

if TYPE_CHECKING:
    import signal

    from .exec.terminal import Terminal

Output = Callable[[bytes], Awaitable[None]]
"""Receives a container's output; stdout and stderr are each in order. Awaited, so a slow reader slows the writer."""

METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
"""Has a different value in each container, which all its processes inherit and can be found by."""


class CannotPull(Exception):
    """The image cannot be pulled. The text becomes CannotPullContainerError's."""


class CannotStart(Exception):
    """The program or the sandbox cannot be started. The text becomes CannotStartContainerError's or
    ResourceInitializationError's."""


@dataclass(frozen=True)
class Mount:
    source: Path | NamedVolume
    """A folder of this machine, or a volume of the container engine."""
    target: str
    """The path in the container."""
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """A container to start, fully resolved."""

    name: str
    image: str
    environment: Mapping[str, str]
    """The container's environment; URLs of the emulated cloud are those of this machine."""
    command: Sequence[str] = ()
    """Arguments; replaces the image's CMD."""
    entry_point: Sequence[str] = ()
    """Program; replaces the image's ENTRYPOINT."""
    mounts: Sequence[Mount] = ()
    ports: Sequence[int] = ()
    working_directory: str | None = None
    user: str | None = None
    init_process: bool = False
    read_only: bool = False
    """For the root file system; mounts have their own setting."""
    cpu_units: int = 0
    memory_mib: int | None = None


@dataclass(frozen=True)
class TaskSpec:
    """A task to prepare a sandbox for."""

    id: str
    arn: str
    folder: Path
    """An empty folder for the task, removed after `release`."""
    ports: Sequence[int]
    """The ports its containers listen on, unique within the task."""
    vcpus: float
    memory_mib: float
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: int = 1
    """Their number; they share one network."""


@dataclass(frozen=True)
class Sandbox:
    """A prepared task."""

    task: TaskSpec
    address: str
    """The task's address for load balancers."""
    ports: Mapping[int, int]
    """Container port → port at `address`."""


@dataclass(frozen=True)
class Usage:
    cpu_seconds: float
    """Of all its processes since the start."""
    memory_bytes: int


class RunningContainer(Protocol):
    """A started container. It ends with its first process, and its other processes are killed."""

    def signal(self, number: signal.Signals) -> None:
        """Signal its first process, as `docker stop` does. No effect after its end."""

    def kill(self) -> None:
        """Send SIGKILL to all its processes. No effect after its end."""

    def pause(self) -> None:
        """Stop all its processes until `resume`; it can still be killed. No effect after its end."""

    def resume(self) -> None:
        """Undo `pause`. No effect if it is not paused or has ended."""

    async def wait(self) -> int:
        """Wait for its end and the delivery of all its output; returns the exit code, 128 + n after signal n."""

    @property
    def out_of_memory(self) -> bool:
        """Whether it was killed for exceeding its memory limit. Known once `wait` has returned."""

    async def run(self, argv: Sequence[str]) -> int:
        """Run a command in it, such as a health check, and return its exit code; 126 or 127 if it cannot be run.
        Cancelling kills the command."""

    async def terminal(self, argv: Sequence[str]) -> Terminal:
        """Start a command in it on a new terminal, as ECS Exec does. Raises `OSError`."""


@runtime_checkable
class IsolatedContainer(Protocol):
    """A `RunningContainer` with CPU limits and a network, which faults can take away. Processes have neither, so it is
    optional for a runtime."""

    async def allow_cpus(self, cpus: float | None) -> None:
        """Limit it to so many CPUs of this machine; None restores the limit of its start. No effect after its end.
        Raises `OSError`."""

    async def unplug(self) -> None:
        """Disconnect its task from the network, published ports included. No effect after its end. Raises
        `OSError`."""

    async def plug_in(self) -> None:
        """Undo `unplug`, with the same ports. No effect if it is connected or has ended. Raises `OSError`."""


class Runtime(Protocol):
    """Runs the containers of tasks."""

    async def prepare(self, task: TaskSpec) -> Sandbox:
        """Reserve a task's address and ports. Raises `CannotStart`, or `OSError` if no port is free; nothing of the
        task is left then."""

    async def pull(self, image: str) -> str:
        """Make the image available and return its digest. Can be cancelled. Raises `CannotPull`."""

    async def start(self, sandbox: Sandbox, container: ContainerSpec, output: Output) -> RunningContainer:
        """Start a pulled image; returns when its first process runs. Raises `CannotStart`."""

    async def usage(self) -> Mapping[tuple[str, str], Usage]:
        """The current usage of every running container, by (task id, container name)."""

    async def release(self, sandbox: Sandbox) -> None:
        """Kill what still runs in the sandbox and remove it. Idempotent."""
