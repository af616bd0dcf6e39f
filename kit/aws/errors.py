"""Reads AWS's error codes without importing botocore."""

from __future__ import annotations


def error_code(error: BaseException) -> str:
    """The code of botocore's `ClientError`, such as `ThrottlingException`; empty for other errors."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
