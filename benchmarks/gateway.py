"""The gateway beside moto_server: the same boto3 calls, in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from benchmarks.figures import Figure, alternating
from benchmarks.processes import Running, emulated_cloud, moto_server


def measure() -> Iterator[Figure]:
    with emulated_cloud() as ours, moto_server() as theirs:
        both = {"ours": ours, "moto_server": theirs}
        for name, make, target in (
            ("DynamoDB PutItem", _put, 1.5),
            ("DynamoDB GetItem", _get, 1.5),
            ("SQS SendMessage", _send, 1.0),
            ("SQS send, receive, delete", _receive, 1.0),
        ):
            rates = alternating({side: make(cloud) for side, cloud in both.items()}, rounds=7, times=100)
            yield Figure(
                f"{name}, ratio to moto_server",
                rates["ours"] / rates["moto_server"],
                "×",
                target,
                at_least=True,
                beside=f"{rates['ours']:.0f}/s against {rates['moto_server']:.0f}/s",
            )


def _table(cloud: Running) -> None:
    dynamodb = cloud.client("dynamodb")
    if "bench" not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName="bench",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )


def _put(cloud: Running) -> Callable[[], object]:
    _table(cloud)
    client, numbers = cloud.client("dynamodb"), count()
    return lambda: client.put_item(TableName="bench", Item={"id": {"S": str(next(numbers))}, "v": {"N": "1"}})


def _get(cloud: Running) -> Callable[[], object]:
    _table(cloud)
    client = cloud.client("dynamodb")
    return lambda: client.get_item(TableName="bench", Key={"id": {"S": "1"}})


def _queue(cloud: Running, name: str) -> str:
    url: str = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def _send(cloud: Running) -> Callable[[], object]:
    client, url = cloud.client("sqs"), _queue(cloud, "send")
    return lambda: client.send_message(QueueUrl=url, MessageBody="x")


def _receive(cloud: Running) -> Callable[[], object]:
    client, url = cloud.client("sqs"), _queue(cloud, "receive")

    def receive() -> None:
        client.send_message(QueueUrl=url, MessageBody="x")
        for message in client.receive_message(QueueUrl=url)["Messages"]:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return receive
