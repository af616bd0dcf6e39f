"""Finds the function of moto that answers a path of a service."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .aws_time import patch_imported
from .models import is_service
from .moto_patches import (
    dynamodb,
    iam,
    missing,
    sns_checks,
    sns_delivery,
    sns_filters,
    sqs_checks,
    sqs_fifo,
    sqs_sources,
)
from .moto_patches.imports import one_session
from .moto_patches.vpcs import delete_network_acls_with_vpc

View = Callable[[Any, str, Any], Any]
"""moto's form of a handler: (request, url, headers) → (status, headers, body)."""

_PATCHES: Mapping[str, tuple[Callable[[], None], ...]] = {
    "cloudwatch": (missing.of_cloudwatch,),
    "dynamodb": (dynamodb.correct,),
    "ec2": (delete_network_acls_with_vpc,),
    "iam": (iam.accept_policies_without_version,),
    "s3": (missing.of_s3,),
    "ses": (missing.of_ses,),
    "sns": (sns_delivery.deliver, sns_filters.install, sns_checks.refuse),
    "sqs": (sqs_fifo.order_and_deduplicate, sqs_checks.refuse, sqs_sources.remember),
}
"""By service: what is changed in moto after its import."""


class Views:
    """A service's functions by path. Most services have a single one; S3 and SNS have several."""

    def __init__(self, paths: dict[str, View]) -> None:
        from werkzeug.routing import BaseConverter, Map, Rule  # noqa: PLC0415 - heavy: only in the worker thread

        class Regex(BaseConverter):
            part_isolating = False

            def __init__(self, url_map: Any, *args: Any) -> None:
                super().__init__(url_map)
                self.regex = args[0]

        views = list(paths.values())
        self._only = views[0] if all(view == views[0] for view in views) else None
        self._map = Map(
            [Rule(path, endpoint=view) for path, view in paths.items() if path],
            converters={"regex": Regex},
            strict_slashes=False,
            merge_slashes=False,
        )

    def find(self, path: str) -> View | None:
        if self._only is not None:
            return self._only
        from werkzeug.exceptions import HTTPException  # noqa: PLC0415

        try:
            view, _ = self._map.bind("localhost").match(path)
        except HTTPException:
            return None
        return view  # type: ignore[no-any-return] # the endpoint given above


@cache
def views_of(service: str) -> Views | None:
    """The functions of a service by botocore's name, imported on first use; None when moto has no such service."""
    from moto import backends  # noqa: PLC0415 - heavy: only in the worker thread
    from moto.core.utils import convert_regex_to_flask_path  # noqa: PLC0415

    if not is_service(service):
        return None
    with one_session():
        try:
            backend = backends.get_backend(service)
        except (ModuleNotFoundError, AttributeError):
            return None
        package = backend.backend.__module__.rpartition(".")[0]
        urls = importlib.import_module(f"{package}.urls")
    patch_imported()
    for patch in _PATCHES.get(service, ()):
        patch()
    return Views({convert_regex_to_flask_path(path.format("")): view for path, view in urls.url_paths.items()})
