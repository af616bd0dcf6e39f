"""Message move tasks: messages of a dead-letter queue go back to their source, or to another queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context
from ...core.errors import AwsError

Answer = dict[str, Any]
_BATCH = 10


@dataclass
class MoveTask:
    handle: str
    source: str
    destination: str | None
    rate: int | None
    """Messages a second, at most."""
    started: float
    expected: int
    status: str = "RUNNING"
    moved: int = 0
    reason: str | None = None

    @property
    def described(self) -> Answer:
        shown = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.expected,
            "FailureReason": self.reason,
            "StartedTimestamp": int(self.started * 1000),
        }
        return {name: value for name, value in shown.items() if value is not None}


class MoveTasks:
    def __init__(self, ctx: Context, tasks: BackgroundTasks) -> None:
        self._ctx = ctx
        self._background = tasks
        self._tasks: list[MoveTask] = []
        """Newest first."""

    async def start_message_move_task(self, call: Call) -> Answer:
        source, destination = call.params["SourceArn"], call.params.get("DestinationArn")
        url = await self._url(source, "SourceArn")
        if destination is not None:
            await self._url(destination, "DestinationArn")
        sources = await self._ctx.aws.store("sqs", "ListDeadLetterSourceQueues", QueueUrl=url)
        if not sources.get("queueUrls"):
            raise AwsError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if any(task.source == source and task.status in ("RUNNING", "CANCELLING") for task in self._tasks):
            raise AwsError(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given "
                "time.",
            )
        names = ["ApproximateNumberOfMessages"]
        depth = await self._ctx.aws.store("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=names)
        task = MoveTask(
            handle=self._ctx.ids.secret(60),
            source=source,
            destination=destination,
            rate=call.params.get("MaxNumberOfMessagesPerSecond"),
            started=self._ctx.clock.now(),
            expected=int(depth["Attributes"][names[0]]),
        )
        self._tasks.insert(0, task)
        self._background.run(f"moving the messages of {source}", self._run(task, url))
        return {"TaskHandle": task.handle}

    async def list_message_move_tasks(self, call: Call) -> Answer:
        source = call.params["SourceArn"]
        await self._url(source, "SourceArn")
        found = [task.described for task in self._tasks if task.source == source]
        return {"Results": found[: call.params.get("MaxResults", 1)]}

    async def cancel_message_move_task(self, call: Call) -> Answer:
        for task in self._tasks:
            if task.handle == call.params["TaskHandle"] and task.status == "RUNNING":
                task.status = "CANCELLING"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise AwsError("ResourceNotFoundException", "Task does not exist.", status=404)

    async def _url(self, arn: str, parameter: str) -> str:
        try:
            answer = await self._ctx.aws.store("sqs", "GetQueueUrl", QueueName=arn.rpartition(":")[2])
        except AwsError:
            text = f"The resource that you specified for the {parameter} parameter doesn't exist."
            raise AwsError("ResourceNotFoundException", text, status=404) from None
        return str(answer["QueueUrl"])

    async def _run(self, task: MoveTask, url: str) -> None:
        asked = {"MaxNumberOfMessages": _BATCH, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        try:
            while task.status == "RUNNING":
                answer = await self._ctx.aws.store("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=0, **asked)
                if not answer.get("Messages"):
                    task.status = "COMPLETED"
                    return
                for message in answer["Messages"]:
                    if task.status == "RUNNING":
                        await self._move(task, url, message)
            task.status = "CANCELLED"
        except AwsError as error:
            task.status, task.reason = "FAILED", error.code

    async def _move(self, task: MoveTask, url: str, message: Answer) -> None:
        attributes = message.get("Attributes", {})
        target = task.destination or attributes.get("DeadLetterQueueSourceArn")
        if target is None:
            raise AwsError("CouldNotDetermineMessageSource", message["MessageId"])
        given = {name: attributes[name] for name in ("MessageGroupId", "MessageDeduplicationId") if name in attributes}
        if message.get("MessageAttributes"):
            given["MessageAttributes"] = message["MessageAttributes"]
        to = await self._url(target, "DestinationArn")
        await self._ctx.aws.call("sqs", "SendMessage", QueueUrl=to, MessageBody=message["Body"], **given)
        await self._ctx.aws.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        task.moved += 1
        if task.rate:
            await self._ctx.clock.sleep(1 / task.rate)
