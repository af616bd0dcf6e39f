"""`AwsError`, which becomes an AWS error answer."""

from __future__ import annotations


class AwsError(Exception):
    """An AWS error: `code` as AWS spells it, a message for the user, the HTTP status.

    Raised by a handler, it reaches the caller in the service's wire format.
    `sender` is True when the caller is to blame (the query protocol's `Type`).
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **extra: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra
        """Further members of the modelled error shape, for example `reasons`."""

    @property
    def sender(self) -> bool:
        return self.status < 500


def not_emulated(service: str, operation: str) -> AwsError:
    """The error for an operation that is not emulated: never a silent success. Its status is 400, because SDKs repeat
    a call that got 501."""
    return AwsError(
        "NotImplemented",
        f"{service}:{operation} is not emulated. Nothing was changed. Run it against real AWS, or add a handler "
        f"for it to the controller that owns {service}.",
    )
