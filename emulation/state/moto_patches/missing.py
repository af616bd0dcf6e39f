"""Refusals where moto fails with a KeyError, or keeps a name that AWS does not take."""

from __future__ import annotations

import re
from typing import Any

from ...core.errors import AwsError
from .replace import extend

_DASHBOARD = re.compile(r"[A-Za-z0-9_-]{1,255}")


def of_s3() -> None:
    """Call it after importing `moto.s3`. Idempotent."""
    from moto.s3.models import S3Backend  # noqa: PLC0415 - heavy: only where moto runs

    extend(S3Backend, "complete_multipart_upload", _complete_upload)


def of_ses() -> None:
    """Call it after importing `moto.ses`. Idempotent."""
    from moto.ses.models import SESBackend  # noqa: PLC0415 - heavy: only where moto runs

    extend(SESBackend, "delete_configuration_set", _delete_configuration_set)


def of_cloudwatch() -> None:
    """Call it after importing `moto.cloudwatch`. Idempotent."""
    from moto.cloudwatch.models import CloudWatchBackend  # noqa: PLC0415 - heavy: only where moto runs

    extend(CloudWatchBackend, "put_dashboard", _put_dashboard)


def _complete_upload(complete: Any, self: Any, bucket_name: str, multipart_id: str, *given: Any, **more: Any) -> Any:
    if multipart_id not in self.get_bucket(bucket_name).multiparts:
        raise AwsError(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
            "completed.",
            status=404,
        )
    return complete(self, bucket_name, multipart_id, *given, **more)


def _delete_configuration_set(delete: Any, self: Any, configuration_set_name: str) -> Any:
    if configuration_set_name not in self.config_sets:
        text = f"Configuration set <{configuration_set_name}> does not exist."
        raise AwsError("ConfigurationSetDoesNotExist", text, ConfigurationSetName=configuration_set_name)
    return delete(self, configuration_set_name)


def _put_dashboard(put: Any, self: Any, name: str, body: str) -> Any:
    if not _DASHBOARD.fullmatch(name):
        raise AwsError(
            "InvalidParameterValue",
            f"The value {name} for field DashboardName contains invalid characters. It can only contain alphanumerics, "
            "dash (-) and underscore (_).",
        )
    return put(self, name, body)
