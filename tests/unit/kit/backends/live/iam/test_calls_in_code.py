"""Every AWS call that stands in the code of a live run is in the policy: also those that no rehearsal comes to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.loaders import Loader

from webordinary_testkit import kit
from webordinary_testkit.kit.backends.live.iam.actions import actions_of
from webordinary_testkit.kit.backends.live.iam.calls import RUN, checked_in_calls
from webordinary_testkit.kit.backends.live.iam.document import actions_by_caller

HOME = Path(kit.__file__).parent
ELSEWHERE = (
    "backends/emulated/",  # no account
    "cli/prices.py",  # the price list is asked with whoever's credentials, and no run does
    "cost/pricelist.py",
    "backends/rehearsal.py",  # the owner of the stand-in's account
    "selftest/",  # the reference system, broken
)
"""What no live run, doctor, janitor, deployment or deletion comes to."""

BY_NAME = {
    "aws/client.py": "makes the calls",
    "doctor/account_state.py": "quotas, from its table",
    "faults/cut_from_load_balancer.py": "what a fault writes down to be undone",
    "aws/undo.py": "what faults wrote down",
    "harness/services.py": "the scaling that is suspended, from the pair of names beside it",
    "backends/live/delete_calls.py": "deletions, from its table",
    "backends/live/inventory/listings.py": "listings, from its table",
}
"""Modules that are told service and operation, by whom."""


MODELS = Loader()
SERVICES = frozenset(MODELS.list_available_services("service-2"))


@cache
def operations(service: str) -> dict[str, str]:
    """As boto3 spells them → as AWS does; empty for what is no service."""
    if service not in SERVICES:
        return {}
    return {xform_name(name): name for name in MODELS.load_service_model(service, "service-2")["operations"]}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HOME.rglob("*.py")):
        name = path.relative_to(HOME).as_posix()
        if not name.startswith(ELSEWHERE):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def strings(tree: ast.Module) -> set[str]:
    return {value for node in ast.walk(tree) if (value := text(node))}


def made(tree: ast.Module) -> Iterator[str]:
    """`service.Operation` of every pair of texts that names one (in a call's arguments or a table's row), of `call` and
    `pages` whose operation comes from a table of the module, and of methods of boto3's own clients."""
    for node in ast.walk(tree):
        row = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for service, operation in zip(map(text, row), map(text, row[1:]), strict=False):
            if operation in operations(service):
                yield f"{service}.{operations(service)[operation]}"
        if _told(node) and row and text(row[0]) and not text(row[1]):
            service = text(row[0])
            yield from (f"{service}.{operations(service)[each]}" for each in strings(tree) & set(operations(service)))
        if isinstance(node, ast.Attribute) and (service := _client(node.value)) and node.attr in operations(service):
            yield f"{service}.{operations(service)[node.attr]}"


def _told(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("call", "pages")


def _client(node: ast.AST) -> str:
    """The service of `….client("service")`, and of the attribute that ECS Exec keeps its client in."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client" and node.args:
        return text(node.args[0])
    return "ecs" if isinstance(node, ast.Attribute) and node.attr == "_ecs" else ""


def test_every_call_in_the_code_is_in_the_policy() -> None:
    allowed = actions_by_caller(checked_in_calls())[RUN]
    missing = {
        f"{call} in kit/{name}"
        for name, tree in sources()
        for call in made(tree)
        for action in actions_of(call)
        if action not in allowed
    }
    assert missing == set(), (
        "a look: kit.backends.live.iam.calls.RARE_READS; a change: kit.backends.live.rules, which the guard goes by too"
    )


def test_no_module_makes_calls_whose_names_cannot_be_read() -> None:
    told = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _told(node) and not (node.args and text(node.args[0]))
    }
    assert told - set(BY_NAME) == set(), "say in BY_NAME who tells it what to call"


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ('await aws.call("acm", "describe_certificate", CertificateArn=arn)', "acm.DescribeCertificate"),
        ('await self._aws.pages("dynamodb", "scan", "Items")', "dynamodb.Scan"),
        ('TABLE = (("X", "describe_vpcs"),)\naws.pages("ec2", TABLE[0][1], "Vpcs")', "ec2.DescribeVpcs"),
        ('CALLS = {"x": _call("sqs", "delete_queue", QueueUrl=name)}', "sqs.DeleteQueue"),
        ('aws.client("dynamodb").update_item(TableName="t")', "dynamodb.UpdateItem"),
        ("asyncio.to_thread(self._ecs.execute_command, **request)", "ecs.ExecuteCommand"),
    ],
)
def test_how_calls_are_read(code: str, call: str) -> None:
    assert call in set(made(ast.parse(code)))
