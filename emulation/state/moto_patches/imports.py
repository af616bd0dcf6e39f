"""Keeps moto from loading and keeping data that is not used here.

On import, `moto.ec2`, which ELBv2 and EFS import too, reads 80 MB of EC2 instance types (0.9 s) and makes three boto3
sessions to list the regions (0.35 s), each of which reads botocore's endpoints. Here the instance types stay empty,
the two operations that need them are refused (`UNANSWERABLE`), and one session is shared. moto also keeps every object
it ever made, each message and table item, for a dashboard; here it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from .replace import replace_everywhere

UNANSWERABLE = frozenset({("ec2", "DescribeInstanceTypes"), ("ec2", "DescribeInstanceTypeOfferings")})


def skip_instance_types() -> None:
    """Call it before importing `moto.ec2`. Idempotent."""
    from moto.utilities import utils  # noqa: PLC0415 - heavy: only where moto runs

    if utils.load_resource.__module__ == utils.__name__:
        replace_everywhere("load_resource", utils.load_resource, _without_instance_types(utils.load_resource))


def release_instances() -> None:
    """Let go of the models that moto deletes. Idempotent."""
    from moto.core.common_models import BaseModel  # noqa: PLC0415 - heavy: only where moto runs

    def make(cls: Any, *_: Any, **__: Any) -> Any:
        return super(BaseModel, cls).__new__(cls)

    BaseModel.__new__ = make


@contextmanager
def one_session() -> Iterator[None]:
    """Share one boto3 session while the block imports modules of moto."""
    from moto.core.base_backend import AccountSpecificBackend  # noqa: PLC0415 - heavy: only where moto runs

    shared = AccountSpecificBackend.get_session()
    with mock.patch("boto3.Session", lambda: shared):
        yield


def _without_instance_types(load: Callable[[str], Any]) -> Callable[[str], Any]:
    def load_resource(resource: str) -> Any:
        return {} if resource.startswith("ec2/resources/instance_type") else load(resource)

    return load_resource
