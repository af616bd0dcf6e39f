"""The inbound queue's depth, its dead letters and Hermes' complaints about them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kit import START, ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.harness.inbound import Depth, Inbound


def inbound(**answers: Any) -> tuple[Inbound, ScriptedAws]:
    def always(answer: Any) -> Any:
        return lambda **_: answer

    services = {"filter_log_events": "logs"}
    aws = ScriptedAws({(services.get(name, "sqs"), name): always(answer) for name, answer in answers.items()})
    return Inbound(a_context(aws)), aws


def attributes(visible: int, in_flight: int) -> dict[str, Any]:
    names = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
    return {"Attributes": dict(zip(names, (str(visible), str(in_flight)), strict=True))}


async def test_a_message_in_flight_is_still_in_the_queue() -> None:
    queue, _ = inbound(get_queue_attributes=attributes(0, 1))
    assert await queue.depth() == Depth(0, 1)
    with pytest.raises(WaitExpired, match="last seen: 0 visible, 1 in flight"):
        await queue.wait_until_empty(within=5)


async def test_an_empty_queue_is_empty() -> None:
    queue, _ = inbound(get_queue_attributes=attributes(0, 0))
    await queue.wait_until_empty(within=0)


async def test_the_redrive_policy_says_how_often() -> None:
    queue, _ = inbound(get_queue_attributes={"Attributes": {"RedrivePolicy": '{"maxReceiveCount": 3}'}})
    assert await queue.max_receives() == 3


async def test_only_the_own_dead_letter_is_taken_out() -> None:
    messages = [{"Body": "another's", "ReceiptHandle": "h1"}, {"Body": "mine", "ReceiptHandle": "h2"}]
    queue, aws = inbound(receive_message={"Messages": messages}, delete_message={})
    await queue.wait_for_dead_letter("mine", within=5)
    assert [call["ReceiptHandle"] for call in aws.called("delete_message")] == ["h2"]


async def test_a_message_that_is_no_dead_letter_is_waited_for() -> None:
    queue, _ = inbound(receive_message={})
    with pytest.raises(WaitExpired, match="dead-letter queue"):
        await queue.wait_for_dead_letter("mine", within=5)


@pytest.mark.parametrize("number", [2, 4])
async def test_complaints_are_counted_exactly(number: int) -> None:
    lines = [{"message": f"malformed m-1, receive {n}"} for n in range(number)] + [{"message": "malformed m-2"}]
    queue, _ = inbound(filter_log_events=lines)
    await queue.wait_for_complaints("m-1", number, since=START, within=0)
    with pytest.raises(WaitExpired, match="exactly 3 lines"):
        await queue.wait_for_complaints("m-1", 3, since=START, within=5)
