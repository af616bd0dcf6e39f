"""Keeps moto from loading 80 MB of EC2 instance types that nothing here answers from.

`moto.ec2.models.instance_types` reads all regions' offerings when it is imported (0.9 s), and ELBv2 and EFS
import it too. Its loader is replaced for the time of that one import; the two operations that would answer
from the missing tables are refused instead (`UNANSWERABLE`).
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from emulation.base.replace import replace_everywhere

UNANSWERABLE = frozenset({("ec2", "DescribeInstanceTypes"), ("ec2", "DescribeInstanceTypeOfferings")})

_MODULE = "moto.ec2.models.instance_types"


def import_without_instance_types() -> None:
    """Import moto's EC2 models with empty instance-type tables. Does nothing when they are imported already."""
    from moto.utilities import utils  # noqa: PLC0415 - heavy: only in the worker thread

    if _MODULE in sys.modules:
        return
    load = utils.load_resource

    def load_no_instance_types(resource: str) -> Any:
        return {} if "instance_type" in resource else load(resource)

    replace_everywhere("load_resource", load, load_no_instance_types)
    try:
        importlib.import_module(_MODULE)
    finally:
        replace_everywhere("load_resource", load_no_instance_types, load)
