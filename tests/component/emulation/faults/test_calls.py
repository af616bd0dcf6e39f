"""Faults of API calls as SDKs meet them: AWS's own errors, whose calls, how many, and the admin routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.support.aws import SESSION
from tests.support.ecs import eventually
from tests.support.world import World
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Caller, TaskChanged
from webordinary_testkit.emulation.faults import Faults
from webordinary_testkit.emulation.services.efs import Storage
from webordinary_testkit.emulation.services.elbv2.links import Links
from webordinary_testkit.emulation.services.sqs import Sqs

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASK = "arn:aws:ecs:us-west-2:123456789012:task/c/1"
OTHER = "arn:aws:ecs:us-west-2:123456789012:task/c/2"


class NoTasks:
    def running(self, task_arn: str) -> dict[str, Any]:
        return {}


class FaultyCloud:
    """Gateway, base and faults, with two tasks: one of the service `edit`, one of `hermes`."""

    def __init__(self, world: World, controller: Faults) -> None:
        self.world = world
        self.controller = controller

    async def faults(self, method: str = "GET", path: str = "", **body: Any) -> tuple[int, Any]:
        url = f"{self.world.url}/_emulation/faults{path}"
        async with (
            aiohttp.ClientSession(headers=self.world.admin_headers) as session,
            session.request(method, url, json=body or None) as answer,
        ):
            return answer.status, await answer.json()

    async def inject(self, kind: str, **settings: Any) -> str:
        status, answer = await self.faults("POST", kind=kind, **settings)
        assert status == 201, answer
        return str(answer["id"])

    async def counts(self, id: str) -> dict[str, int]:
        return dict((await self.faults("GET", f"/{id}"))[1]["counts"])

    async def counted(self, id: str, what: str) -> None:
        """Wait until a fault has counted something."""

        async def look() -> int:
            return (await self.counts(id))[what]

        await eventually(look)

    async def polls(self) -> bool:
        """Whether somebody waits for messages."""
        return any(call.operation == "ReceiveMessage" for call in self.world.cloud.dispatch._under_way._calls.values())

    def client(self, service: str, caller: Caller | None = None, **config: Any) -> Any:
        keys = self.world.cloud.keys.issue(caller) if caller else None
        return SESSION.client(
            service,
            endpoint_url=self.world.url,
            region_name="us-west-2",
            aws_access_key_id=keys.access_key_id if keys else "AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    async def error_of(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """The whole error answer that boto3 read."""
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(getattr(self.client(service), operation), **params)
        return dict(refused.value.response)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_for_all() -> AsyncIterator[FaultyCloud]:
    made: list[Faults] = []

    def assemble(parts: CloudParts) -> Wiring:
        context = parts.context("faults")
        made.append(Faults(context, parts.dispatch, Links(context.clock), NoTasks(), Storage(context)))
        return Wiring([Sqs(parts.context("sqs")), *made])

    cloud = Cloud(CloudConfig(insecure_keys="test", scale=60.0), assemble)
    await cloud.start()
    try:
        for task, group in ((TASK, "service:edit"), (OTHER, "service:hermes")):
            cloud.events.publish(TaskChanged(task, "arn:c", group, "RUNNING"))
        yield FaultyCloud(World(cloud, cloud.context("test")), made[0])
    finally:
        await cloud.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def s(one_for_all: FaultyCloud) -> AsyncIterator[FaultyCloud]:
    """The same cloud for all tests, without a fault."""
    yield one_for_all
    await one_for_all.controller.stop()
    one_for_all.controller._injected.clear()


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "application-autoscaling": ("describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    "cloudformation": ("list_stacks", {}),
    "cloudwatch": ("list_metrics", {}),
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"id": {"S": "x"}}}),
    "ec2": ("describe_vpcs", {}),
    "ecs": ("list_clusters", {}),
    "efs": ("describe_file_systems", {}),
    "elbv2": ("describe_load_balancers", {}),
    "iam": ("list_roles", {}),
    "logs": ("describe_log_groups", {}),
    "s3": ("list_buckets", {}),
    "ses": ("get_send_quota", {}),
    "sesv2": ("get_account", {}),
    "sns": ("list_topics", {}),
    "sqs": ("list_queues", {}),
    "sts": ("get_caller_identity", {}),
}


class TestThrottle:
    @pytest.mark.parametrize("service", CALLS)
    async def test_boto3_takes_the_refusal_for_a_throttle_and_tries_again(self, s: FaultyCloud, service: str) -> None:
        from botocore.retries.standard import RetryContext, ThrottledRetryableChecker

        await s.inject("throttle", service=service, probability=1, callers="everyone")
        operation, params = CALLS[service]
        answer = await s.error_of(service, operation, **params)

        context = RetryContext(attempt_number=1, parsed_response=answer)
        assert ThrottledRetryableChecker().is_retryable(context), answer["Error"]

    async def test_dynamodb_says_which_limit_of_which_table_it_was(self, s: FaultyCloud) -> None:
        await s.inject("throttle", service="dynamodb", probability=1, callers="everyone")
        write = await s.error_of("dynamodb", "put_item", TableName="sessions", Item={"id": {"S": "x"}})
        query = await s.error_of(
            "dynamodb",
            "query",
            TableName="sessions",
            IndexName="ClientIndex",
            KeyConditionExpression="c = :c",
            ExpressionAttributeValues={":c": {"S": "x"}},
        )
        batch = await s.error_of("dynamodb", "batch_get_item", RequestItems={"mails": {"Keys": [{"a": {"S": "x"}}]}})

        table = "arn:aws:dynamodb:us-west-2:123456789012:table"
        assert write["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert write["Error"]["Code"] == "ProvisionedThroughputExceededException"
        assert write["Error"]["Message"].startswith("The level of configured provisioned throughput")
        assert write["ThrottlingReasons"] == [
            {"reason": "TableWriteProvisionedThroughputExceeded", "resource": f"{table}/sessions"}
        ]
        assert query["ThrottlingReasons"] == [
            {"reason": "IndexReadProvisionedThroughputExceeded", "resource": f"{table}/sessions/index/ClientIndex"}
        ]
        assert batch["ThrottlingReasons"] == [
            {"reason": "TableReadProvisionedThroughputExceeded", "resource": f"{table}/mails"}
        ]

    async def test_dynamodbs_control_plane_has_another_code(self, s: FaultyCloud) -> None:
        await s.inject("throttle", service="dynamodb", probability=1, callers="everyone")
        answer = await s.error_of("dynamodb", "list_tables")

        assert answer["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}

    async def test_one_operation_is_throttled_and_the_others_are_not(self, s: FaultyCloud) -> None:
        await s.inject("throttle", service="sqs", operation="ListQueues", probability=1, callers="everyone")
        assert (await s.error_of("sqs", "list_queues"))["Error"]["Code"] == "RequestThrottled"
        await asyncio.to_thread(s.client("sqs").create_queue, QueueName="passes")

    @pytest.mark.parametrize(
        ("callers", "concerned"),
        [
            ("everyone", {"user", TASK, OTHER}),
            ("tasks", {TASK, OTHER}),
            ("service:edit", {TASK}),
            (OTHER, {OTHER}),
        ],
    )
    async def test_concerns_only_the_callers_that_are_meant(
        self, s: FaultyCloud, callers: str, concerned: set[str]
    ) -> None:
        await s.inject("throttle", service="sqs", probability=1, callers=callers)
        refused = set()
        for name, caller in (("user", None), (TASK, Caller("task", TASK)), (OTHER, Caller("task", OTHER))):
            try:
                await asyncio.to_thread(s.client("sqs", caller).list_queues)
            except ClientError:
                refused.add(name)

        assert refused == concerned

    async def test_its_counts_are_what_callers_saw(self, s: FaultyCloud) -> None:
        fault = await s.inject("throttle", service="sqs", probability=0.5, seed=7, callers="everyone")
        client, seen = s.client("sqs"), 0
        for _ in range(20):
            try:
                await asyncio.to_thread(client.list_queues)
            except ClientError:
                seen += 1
        assert await s.counts(fault) == {"concerned": 20, "throttled": seen}
        assert 0 < seen < 20

    async def test_a_rate_lets_the_burst_through_and_no_more_at_once(self, s: FaultyCloud) -> None:
        fault = await s.inject("throttle", service="sqs", rate=0.001, burst=3, callers="everyone")
        client = s.client("sqs")
        for _ in range(3):
            await asyncio.to_thread(client.list_queues)
        for _ in range(2):
            with pytest.raises(ClientError):
                await asyncio.to_thread(client.list_queues)
        assert await s.counts(fault) == {"concerned": 5, "throttled": 2}

    async def test_another_code_is_answered_when_asked_for(self, s: FaultyCloud) -> None:
        await s.inject("throttle", service="dynamodb", probability=1, code="RequestLimitExceeded", callers="everyone")
        assert (await s.error_of("dynamodb", *_get_item()[:1], **_get_item()[1]))["Error"]["Code"] == (
            "RequestLimitExceeded"
        )


def _get_item() -> tuple[str, dict[str, Any]]:
    return CALLS["dynamodb"]


class TestError:
    @pytest.mark.parametrize(
        ("service", "status", "code"),
        [
            ("dynamodb", 500, "InternalServerError"),
            ("s3", 500, "InternalError"),
            ("s3", 503, "ServiceUnavailable"),
            ("sqs", 503, "ServiceUnavailable"),
            ("ecs", 500, "ServerException"),
            ("elbv2", 500, "InternalFailure"),
        ],
    )
    async def test_is_the_services_own_for_this_status(
        self, s: FaultyCloud, service: str, status: int, code: str
    ) -> None:
        await s.inject("error", service=service, status=status, callers="everyone")
        operation, params = CALLS[service]
        answer = await s.error_of(service, operation, **params)

        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)

    async def test_leaves_nothing_done(self, s: FaultyCloud) -> None:
        fault = await s.inject("error", service="sqs", operation="CreateQueue", callers="everyone")
        await s.error_of("sqs", "create_queue", QueueName="never")
        await s.faults("DELETE", f"/{fault}")
        answer = await asyncio.to_thread(s.client("sqs").list_queues, QueueNamePrefix="never")
        assert "QueueUrls" not in answer


class TestLatency:
    async def test_its_end_lets_go_of_what_waits(self, s: FaultyCloud) -> None:
        fault = await s.inject("latency", service="sqs", seconds=86_400, callers="everyone")
        waiting = asyncio.create_task(asyncio.to_thread(s.client("sqs").list_queues))
        await s.counted(fault, "delayed")
        assert not waiting.done()
        await s.faults("DELETE", f"/{fault}")
        async with asyncio.timeout(5):
            await waiting


class TestCutFromAws:
    async def test_a_long_poll_under_way_is_cut_and_takes_no_message(self, s: FaultyCloud) -> None:
        queue = (await asyncio.to_thread(s.client("sqs").create_queue, QueueName="q"))["QueueUrl"]
        victim = s.client("sqs", Caller("task", TASK), read_timeout=5)
        poll = asyncio.create_task(
            asyncio.to_thread(victim.receive_message, QueueUrl=queue, WaitTimeSeconds=20, VisibilityTimeout=600)
        )
        await eventually(s.polls)
        fault = await s.inject("cut-from-aws", task=TASK, how="reset")
        with pytest.raises(Exception, match="Connection was closed"):
            await poll
        await asyncio.to_thread(s.client("sqs").send_message, QueueUrl=queue, MessageBody="for others")
        received = await asyncio.to_thread(s.client("sqs").receive_message, QueueUrl=queue)

        assert await s.counts(fault) == {"concerned": 1, "cut": 1}
        assert [each["Body"] for each in received["Messages"]] == ["for others"]

    async def test_a_long_poll_under_way_falls_silent_where_packets_vanish(self, s: FaultyCloud) -> None:
        queue = (await asyncio.to_thread(s.client("sqs").create_queue, QueueName="silent"))["QueueUrl"]
        victim = s.client("sqs", Caller("task", TASK), read_timeout=0.5)
        poll = asyncio.create_task(asyncio.to_thread(victim.receive_message, QueueUrl=queue, WaitTimeSeconds=20))
        await eventually(s.polls)
        await s.inject("cut-from-aws", task=TASK, how="silence")

        with pytest.raises(ReadTimeoutError):
            await poll

    async def test_others_reach_aws_as_before(self, s: FaultyCloud) -> None:
        await s.inject("cut-from-aws", task=TASK)
        await asyncio.to_thread(s.client("sqs", Caller("task", OTHER)).list_queues)
        await asyncio.to_thread(s.client("sqs").list_queues)

    async def test_a_call_that_hangs_goes_through_when_the_cut_ends(self, s: FaultyCloud) -> None:
        fault = await s.inject("cut-from-aws", task=TASK, how="silence")
        call = asyncio.create_task(asyncio.to_thread(s.client("sqs", Caller("task", TASK)).list_queues))
        await s.counted(fault, "cut")
        await s.faults("DELETE", f"/{fault}")
        async with asyncio.timeout(5):
            await call


class TestAdminRoutes:
    async def test_the_list_has_every_fault_with_what_it_did(self, s: FaultyCloud) -> None:
        fault = await s.inject("throttle", service="sqs", probability=1, callers="everyone", id="mine")
        await s.error_of("sqs", "list_queues")
        await s.faults("DELETE", "/mine")
        status, (listed,) = await s.faults()

        assert status == 200
        assert fault == listed["id"] == "mine"
        assert listed["kind"] == "throttle"
        assert listed["settings"]["service"] == "sqs"
        assert listed["counts"] == {"concerned": 1, "throttled": 1}
        assert listed["at"] < listed["ended"]

    async def test_an_ended_fault_can_be_ended_again(self, s: FaultyCloud) -> None:
        fault = await s.inject("throttle", service="sqs", probability=1)
        first = await s.faults("DELETE", f"/{fault}")
        assert await s.faults("DELETE", f"/{fault}") == first
        assert first[0] == 200

    async def test_two_faults_of_one_service_end_one_by_one(self, s: FaultyCloud) -> None:
        one = await s.inject("throttle", service="sqs", probability=1, callers="everyone")
        two = await s.inject("throttle", service="sqs", probability=1, callers="everyone")
        await s.faults("DELETE", f"/{one}")
        await s.error_of("sqs", "list_queues")
        assert await s.counts(two) == {"concerned": 1, "throttled": 1}

    @pytest.mark.parametrize(
        ("wanted", "status", "complaint"),
        [
            ({"kind": "throtle"}, 400, "no kind of fault is called 'throtle', did you mean 'throttle'?"),
            ({"kind": "throttle"}, 400, "the setting 'service' is missing"),
            (
                {"kind": "throttle", "service": "sqs", "probabilty": 1},
                400,
                "no setting is called 'probabilty', did you mean 'probability'?",
            ),
            ({"kind": "throttle", "service": "sqs", "rate": "1"}, 400, "rate must be float | None, got '1'"),
            ({"kind": "throttle", "service": "sqs"}, 400, "a throttle takes either a probability or a rate"),
            (
                {"kind": "throttle", "service": "sqs", "probability": 2},
                400,
                "probability must be between 0 and 1, got 2",
            ),
            (
                {"kind": "throttle", "service": "sqs", "probability": 1, "callers": "me"},
                400,
                "callers must be 'everyone', 'tasks', 'service:<name of an ECS service>' or a task's ARN, got 'me'",
            ),
            ({"kind": "error", "service": "sqs", "status": 200}, 400, "status must be between 400 and 599, got 200"),
            ({"kind": "latency", "service": "sqs", "seconds": 0}, 400, "seconds must be above 0, got 0"),
            ({"kind": "cut-from-aws", "task": "arn:aws:ecs:x"}, 404, "no task arn:aws:ecs:x runs"),
            ({"kind": "pause-task", "task": TASK}, 404, f"no container of task {TASK} runs"),
            ({"kind": "kill-process", "task": TASK}, 404, f"no container of task {TASK} runs"),
        ],
    )
    async def test_what_cannot_be_is_refused_in_one_sentence(
        self, s: FaultyCloud, wanted: dict[str, Any], status: int, complaint: str
    ) -> None:
        answered, answer = await s.faults("POST", **wanted)
        assert (answered, answer["error"].startswith(complaint)) == (status, True), answer
        assert await s.faults() == (200, [])

    async def test_an_unknown_fault_is_told_as_such(self, s: FaultyCloud) -> None:
        assert await s.faults("DELETE", "/none") == (404, {"error": "there is no fault none"})

    async def test_one_id_names_one_fault(self, s: FaultyCloud) -> None:
        await s.inject("throttle", service="sqs", probability=1, id="mine")
        status, answer = await s.faults("POST", kind="throttle", service="sqs", probability=1, id="mine")
        assert (status, answer) == (409, {"error": "there is a fault mine already"})

    async def test_a_target_is_not_cut_off_twice(self, s: FaultyCloud) -> None:
        await s.inject("cut-from-load-balancer", host="127.0.0.1", port=1, id="first")
        status, answer = await s.faults("POST", kind="cut-from-load-balancer", host="127.0.0.1", port=1)
        assert status == 409
        assert answer["error"] == "127.0.0.1:1 is cut from the load balancer already, by fault first: end that first"
