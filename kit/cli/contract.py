"""Check the running cloud against the contract: a URL, the sessions table, a mail queue, or all of them."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..core.errors import UsageError
from . import common, running

if TYPE_CHECKING:
    from ..backends.interface import Cloud
    from ..harness import Harness

HELP = "check answers, rows and messages of the running cloud against the contract"

_UNSEEN = 3
"""The exit code when there was nothing to check, so that nothing is proven."""
_MESSAGES = 10
"""Messages of a queue that are read. Every read counts as a receive, so there is only one."""


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument(
        "--check",
        metavar="URL|TABLE|QUEUE",
        action="append",
        help="what to check, may be repeated (default: the stack's health URLs, sessions table and inbound queue); "
        "reading a message counts as a receive",
    )


def run(args: argparse.Namespace) -> int:
    return common.run_async(_contract(args))


async def _contract(args: argparse.Namespace) -> int:
    from ..system.contract import ContractBroken  # noqa: PLC0415 - only where a cloud is used

    kept = broken = 0
    async with running.harness(common.load_settings(args)) as (cloud, h):
        stack = cloud.stack
        default = [h.system.health_url("hermes"), h.system.health_url("edit"), stack.sessions_table_name]
        for place in args.check or [*default, stack.inbound_queue_url]:
            seen = kept + broken
            async for outcome in _checked(cloud, h, place):
                if isinstance(outcome, ContractBroken):
                    broken += 1
                    common.say(f"BROKEN  {outcome}")
                else:
                    kept += 1
                    common.say(f"kept    {outcome}")
            if seen == kept + broken:
                common.say(f"unseen  {place}: nothing there to check")
    common.say(f"\n{kept} kept, {broken} broken")
    if broken:
        return 1
    return 0 if kept else _UNSEEN


async def _checked(cloud: Cloud, h: Harness, place: str) -> AsyncIterator[Exception | str]:
    """A description of each thing that satisfies the contract, and each breach."""
    from ..system import contract  # noqa: PLC0415 - only where a cloud is used

    stack = cloud.stack
    if place == stack.sessions_table_name:
        for item in await cloud.aws.pages("dynamodb", "scan", "Items", TableName=place, ConsistentRead=True):
            try:
                row = contract.check_row(item, place)
                yield f"row {row.session_id} of {place}"
            except contract.ContractBroken as breach:
                yield breach
    elif (queue := _queue(cloud, place)) is not None:
        answer = await cloud.aws.call(
            "sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=_MESSAGES, VisibilityTimeout=0
        )
        for message in answer.get("Messages", ()):
            try:
                notification = contract.check_message(message["Body"], place)
                yield f"message {message['MessageId']} of {place}: mail {notification.mail.messageId}"
            except contract.ContractBroken as breach:
                yield breach
    else:
        async for outcome in _checked_url(cloud, h, place):
            yield outcome


async def _checked_url(cloud: Cloud, h: Harness, url: str) -> AsyncIterator[Exception | str]:
    from ..system.contract import ContractBroken, check_answer  # noqa: PLC0415 - only where a cloud is used
    from ..system.contract.answers import ENDPOINTS, endpoint_of  # noqa: PLC0415

    if url.startswith("/"):
        url = h.system.url(url)
    if urlsplit(url).scheme not in ("http", "https") or endpoint_of("GET", url) is None:
        routes = ", ".join(str(endpoint.path) for endpoint in ENDPOINTS if endpoint.method == "GET")
        raise UsageError(
            f"the contract does not cover {url}",
            next=f"check the table {cloud.stack.sessions_table_name}, a mail queue's name or URL, or one of: {routes}",
        )
    try:
        answer = await h.http.get(url)
        check = check_answer("GET", url, answer.status, answer.body) if not answer.by_balancer else None
    except ContractBroken as breach:
        yield breach
    except OSError as error:
        raise UsageError(f"{url} did not answer: {error}", next="check that the cloud is running: kit status") from None
    else:
        if check is not None:
            yield f"{answer.status} of {check} as {url}"


def _queue(cloud: Cloud, place: str) -> str | None:
    """The URL of one of the stack's mail queues, named by its URL or its last part."""
    stack = cloud.stack
    for url in (stack.inbound_queue_url, stack.dead_letter_queue_url, stack.replies_queue_url):
        if place in (url, url.rpartition("/")[2]):
            return url
    return None
