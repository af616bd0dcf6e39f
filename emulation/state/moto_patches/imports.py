"""Keeps moto from loading and keeping what nothing here answers from.

`moto.ec2`, which ELBv2 and EFS import too, reads 80 MB of EC2 instance types when it is imported (0.9 s), and
makes three boto3 sessions to list the regions (0.35 s), each reading botocore's endpoints anew. The instance
types stay empty, and the two operations that would answer from them are refused (`UNANSWERABLE`); the sessions
are one. And it keeps every object it ever made, each message and table item, for a dashboard: it no longer does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from .replace import replace_everywhere

UNANSWERABLE = frozenset({("ec2", "DescribeInstanceTypes"), ("ec2", "DescribeInstanceTypeOfferings")})


def leave_out_instance_types() -> None:
    """To be called before `moto.ec2` is imported. Does nothing the second time."""
    from moto.utilities import utils  # noqa: PLC0415 - heavy: only where moto runs

    if utils.load_resource.__module__ == utils.__name__:
        replace_everywhere("load_resource", utils.load_resource, _without_instance_types(utils.load_resource))


def let_go_of_instances() -> None:
    """Models that moto deletes are gone. Does nothing the second time."""
    from moto.core.common_models import BaseModel  # noqa: PLC0415 - heavy: only where moto runs

    def make(cls: Any, *_: Any, **__: Any) -> Any:
        return super(BaseModel, cls).__new__(cls)

    BaseModel.__new__ = make


@contextmanager
def one_session() -> Iterator[None]:
    """boto3 sessions made meanwhile, while moto's modules are imported, are one and the same."""
    from moto.core.base_backend import AccountSpecificBackend  # noqa: PLC0415 - heavy: only where moto runs

    shared = AccountSpecificBackend.get_session()
    with mock.patch("boto3.Session", lambda: shared):
        yield


def _without_instance_types(load: Callable[[str], Any]) -> Callable[[str], Any]:
    def load_resource(resource: str) -> Any:
        return {} if resource.startswith("ec2/resources/instance_type") else load(resource)

    return load_resource
