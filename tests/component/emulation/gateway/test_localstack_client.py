"""What was written for LocalStack finds the emulated cloud: localstack-client, by what `kit up` tells to export."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.support.world import world
from webordinary_testkit.kit.backends.emulated.readiness import Readiness

PROGRAM = """\
import localstack_client.session
session = localstack_client.session.Session()
url = session.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
session.resource("s3").create_bucket(Bucket="mine-too")
print(url, [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]])
"""


@pytest.mark.parametrize("without", ["", "AWS_ENDPOINT_URL", "LOCALSTACK_HOST"])
async def test_a_localstack_session_works_with_what_is_exported(without: str) -> None:
    async with world() as w:
        line = {**w.cloud.readiness(), "smtp": "127.0.0.1:25"}
        exported = Readiness.from_json(line).environment()
        exported.pop(without, None)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALSTACK_"))}
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", PROGRAM],
            env={**plain, **exported, "AWS_DEFAULT_REGION": "us-east-1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == f"{w.url}/{w.cloud.config.account}/mine ['mine-too']\n", done.stderr
