"""The three ways in which a call to AWS fails."""

from __future__ import annotations


class AwsError(Exception):
    """AWS answered with an error: `code` as AWS spells it."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code


class Unavailable(AwsError):
    """Throttled, out of reach or failing on AWS's side, also after retries. Trying later may help."""


class ConditionFailed(AwsError):
    """A conditional write found the row in another state."""
