"""LocalStack as the base of a cloud whose tasks are containers: they meet in the cloud's one endpoint."""

from __future__ import annotations

from tests.docker.test_ecs import Account, shell
from tests.localstack.test_localstack import LOCALSTACK
from tests.support.engine import BASE
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.wiring import everything

SEND = """
import json, os, urllib.request as u
url = os.environ["QUEUE_URL"]
scope = "test/20260101/us-west-2/sqs/aws4_request"
headers = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
    "Content-Type": "application/x-amz-json-1.0",
}
body = json.dumps({"QueueUrl": url, "MessageBody": "from a container"}).encode()
print(u.urlopen(u.Request(url, body, headers)).status)
"""
"""The base image has no SDK."""


async def test_a_queue_at_localstack_has_one_url_inside_containers_and_outside() -> None:
    cloud = Cloud(
        CloudConfig(
            insecure_keys="test",
            base="localstack",
            localstack_image=LOCALSTACK,
            scale=20,
            runtime="docker",
            images={"base:1": BASE},
        ),
        everything,
    )
    await cloud.start()
    try:
        account = Account(cloud)
        await account.prepare()
        url = (await account.aws.call("sqs", "CreateQueue", QueueName="q"))["QueueUrl"]
        environment = [{"name": "QUEUE_URL", "value": url}]
        task = await account.run(shell("sender", f"python3 -c '{SEND}' 2>&1", environment=environment))
        await account.stopped(task)
        assert "\n".join(await account.said(task, "sender")) == "200"
        answer = await account.aws.call("sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
        assert [message["Body"] for message in answer["Messages"]] == ["from a container"]
        assert "sqs" in cloud.facts()["base"]["serves"]
    finally:
        await cloud.stop()
