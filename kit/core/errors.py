"""The kit's exceptions: each says what is wrong, where, and what to do next."""

from __future__ import annotations


class KitError(Exception):
    """Something the user has to know. `exit_code` is what the `kit` command ends with."""

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
    """The command line or the settings ask for something that cannot be."""

    exit_code = 2


class InfraError(KitError):
    """The ground failed (the cloud, the deployment, the credentials), not the system under test."""

    exit_code = 4


class NotSupported(KitError):
    """What is asked for is not there (yet); never replaced quietly by something else."""

    exit_code = 5


class Failed(AssertionError):
    """The system under test did not do what it must. Carries where the evidence lies."""

    def __init__(self, message: str, *, evidence: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.evidence = evidence


class CheckFailed(Failed):
    """A check that looked once found something else than expected."""


class Bounced(Failed):
    """A mail came back as undeliverable."""


class WaitExpired(Failed):
    """A wait ended without seeing what it waited for."""
