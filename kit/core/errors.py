"""The kit's exceptions: each says what is wrong, where, and what to do next."""

from __future__ import annotations


class KitError(Exception):
    """An error for the user. `exit_code` is the exit code of the `kit` command."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next = next

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.next:
            lines.append(f"  next:  {self.next}")
        return "\n".join(lines)


class UsageError(KitError):
    """The command line or the settings are invalid."""

    exit_code = 2


class InfraError(KitError):
    """The infrastructure failed (the cloud, the deployment, the credentials), not the system under test."""

    exit_code = 4


class NotSupported(KitError):
    """The requested feature does not exist (yet); it is never silently replaced."""

    exit_code = 5


class Failed(AssertionError):
    """The system under test misbehaved. `evidence` names files to look at."""

    def __init__(self, message: str, *, evidence: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.evidence = evidence


class CheckFailed(Failed):
    """A single check observed something unexpected."""


class Bounced(Failed):
    """A mail came back as undeliverable."""


class WaitExpired(Failed):
    """A wait ended without the expected observation."""
