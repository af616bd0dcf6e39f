"""Handlers, watchers, interceptors and in-process calls."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from tests.support.scripted import Scripted, scripted
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Call, Caller
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway.intercept import CutOff, InterceptedCall

LIST = ("ecs", "ListClusters")


async def test_an_owned_operation_reaches_its_handler_and_the_rest_the_base() -> None:
    async with world(scripted({LIST: {"clusterArns": ["arn:ours"]}})) as w:
        client = w.client("ecs")
        clusters = await asyncio.to_thread(client.list_clusters)
        created = await asyncio.to_thread(client.create_cluster, clusterName="stored")

    assert clusters["clusterArns"] == ["arn:ours"]
    assert created["cluster"]["clusterName"] == "stored"


async def test_an_operation_with_two_owners_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="ecs:ListClusters is answered by both Scripted and Scripted"):
        async with world(scripted({LIST: {}}), scripted({LIST: {}})):
            pass


async def test_a_handler_is_told_who_calls() -> None:
    async with world(scripted({LIST: {}})) as w:
        task = Caller("task", "arn:aws:ecs:us-west-2:123456789012:task/c/1")
        credentials = w.ctx.callers.issue(task)
        await asyncio.to_thread(w.client("ecs", credentials=credentials).list_clusters)
        await asyncio.to_thread(w.client("ecs").list_clusters)
        await w.aws.call(*LIST)
        (controller,) = w.controllers

    assert isinstance(controller, Scripted)
    assert [call.caller for call in controller.calls] == [
        task,
        Caller("external", "AKIAIOSFODNN7EXAMPLE"),
        Caller("service", "test"),
    ]


async def test_a_revoked_key_is_refused() -> None:
    async with world(scripted({LIST: {}})) as w:
        credentials = w.ctx.callers.issue(Caller("task", "arn:task"))
        w.ctx.callers.revoke(credentials.access_key_id)
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(w.client("ecs", credentials=credentials).list_clusters)

    assert refused.value.response["Error"]["Code"] == "ExpiredTokenException"


class TestWatchers:
    async def test_hear_of_the_bases_successes_with_parameters(self) -> None:
        heard: list[Call] = []
        async with world(scripted({}, {("sqs", "CreateQueue"): heard.append})) as w:
            await asyncio.to_thread(w.client("sqs").create_queue, QueueName="outside")
            await w.aws.call("sqs", "CreateQueue", QueueName="inside")

        assert [call.params for call in heard] == [{"QueueName": "outside"}, {"QueueName": "inside"}]

    async def test_hear_of_a_handlers_successes(self) -> None:
        heard: list[Call] = []
        async with world(scripted({LIST: {}}), scripted({}, {LIST: heard.append})) as w:
            await asyncio.to_thread(w.client("ecs").list_clusters)

        assert [call.operation for call in heard] == ["ListClusters"]

    async def test_do_not_hear_of_failures(self) -> None:
        heard: list[Call] = []
        async with world(scripted({}, {("sqs", "GetQueueUrl"): heard.append})) as w:
            with pytest.raises(ClientError):
                await asyncio.to_thread(w.client("sqs").get_queue_url, QueueName="none")
            with pytest.raises(AwsError):
                await w.aws.call("sqs", "GetQueueUrl", QueueName="none")

        assert heard == []

    async def test_do_not_hear_of_what_a_handler_asks_the_base(self) -> None:
        heard: list[Call] = []
        async with world(scripted({}, {("sqs", "ListQueues"): heard.append})) as w:
            await w.aws.store("sqs", "ListQueues")

        assert heard == []

    async def test_that_crash_do_not_harm_the_call(self, caplog: pytest.LogCaptureFixture) -> None:
        def crash(_: Call) -> None:
            raise KeyError("x")

        async with world(scripted({}, {("sqs", "ListQueues"): crash})) as w:
            await w.aws.call("sqs", "ListQueues")

        assert "a watcher of sqs:ListQueues failed" in caplog.text


class TestInterceptors:
    async def test_see_service_operation_caller_and_region(self, bare_world: World) -> None:
        seen: list[InterceptedCall] = []

        async def see(call: InterceptedCall) -> None:
            seen.append(call)

        bare_world.cloud.dispatch.interceptors.append(see)
        await asyncio.to_thread(bare_world.client("sqs").list_queues)

        assert seen == [InterceptedCall("sqs", "ListQueues", Caller("external", "AKIAIOSFODNN7EXAMPLE"), "us-west-2")]

    async def test_may_answer_with_an_error(self, bare_world: World) -> None:
        async def throttle(call: InterceptedCall) -> AwsError | None:
            return AwsError("ThrottlingException", "Rate exceeded") if call.operation == "ListQueues" else None

        bare_world.cloud.dispatch.interceptors.append(throttle)
        client = bare_world.client("sqs")
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(client.list_queues)
        await asyncio.to_thread(client.create_queue, QueueName="passes")

        assert refused.value.response["Error"]["Code"] == "ThrottlingException"

    async def test_may_delay(self, bare_world: World) -> None:
        async def slow(_: InterceptedCall) -> None:
            await bare_world.ctx.clock.sleep(6)  # 0.1 s on the wall

        bare_world.cloud.dispatch.interceptors.append(slow)
        began = bare_world.ctx.clock.now()
        await asyncio.to_thread(bare_world.client("sqs").list_queues)

        assert bare_world.ctx.clock.now() - began >= 6

    async def test_may_cut_off_one_caller(self, bare_world: World) -> None:
        victim = bare_world.ctx.callers.issue(Caller("task", "victim"))

        async def partition(call: InterceptedCall) -> None:
            if call.caller.name == "victim":
                raise CutOff

        bare_world.cloud.dispatch.network.append(partition)
        with pytest.raises((EndpointConnectionError, HTTPClientError)):
            await asyncio.to_thread(bare_world.client("sqs", credentials=victim).list_queues)
        wrong = replace(victim, secret_access_key="wrong")
        with pytest.raises((EndpointConnectionError, HTTPClientError)):
            await asyncio.to_thread(bare_world.client("sqs", credentials=wrong).list_queues)
        await asyncio.to_thread(bare_world.client("sqs").list_queues)

        first = bare_world.cloud.recorder.since(0)[0]
        assert (first.caller, first.status) == ("victim", 0)

    async def test_do_not_see_the_clouds_own_calls(self, bare_world: World) -> None:
        async def refuse(_: InterceptedCall) -> AwsError:
            return AwsError("InternalError", "no", status=500)

        bare_world.cloud.dispatch.interceptors.append(refuse)

        await bare_world.aws.call("sqs", "ListQueues")


class TestInProcessCalls:
    async def test_are_validated_before_a_handler_sees_them(self) -> None:
        async with world(scripted({("ecs", "DescribeServices"): {}})) as w:
            with pytest.raises(AwsError, match='Unknown parameter in input: "service"') as refused:
                await w.aws.call("ecs", "DescribeServices", service="web")

        assert refused.value.code == "InvalidParameterException"
        assert isinstance(w.controllers[0], Scripted)
        assert w.controllers[0].calls == []

    async def test_name_what_does_not_exist(self, bare_world: World) -> None:
        with pytest.raises(AwsError, match="sqs has no operation named 'MakeQueue'"):
            await bare_world.aws.call("sqs", "MakeQueue")
        with pytest.raises(AwsError, match="botocore knows no service named 'queues'"):
            await bare_world.aws.call("queues", "CreateQueue")

    async def test_get_what_an_sdk_would_read(self) -> None:
        answer = {"services": [{"serviceName": "web", "createdAt": 1_795_000_000.5, "status": None}]}
        async with world(scripted({("ecs", "DescribeServices"): answer})) as w:
            read = await w.aws.call("ecs", "DescribeServices", services=["web"])

        assert read == {"services": [{"serviceName": "web", "createdAt": datetime.fromtimestamp(1_795_000_000.5, UTC)}]}

    async def test_share_nothing_with_the_handler(self) -> None:
        own = {"clusterArns": ["a"]}
        async with world(scripted({LIST: own})) as w:
            read = await w.aws.call(*LIST)
            read["clusterArns"].append("b")

        assert own == {"clusterArns": ["a"]}

    async def test_bring_the_idempotency_tokens_of_sdks(self) -> None:
        async with world(scripted({("efs", "CreateFileSystem"): AwsError("Stop", "here")})) as w:
            with pytest.raises(AwsError, match="here"):
                await w.aws.call("efs", "CreateFileSystem")
            controller = w.controllers[0]

        assert isinstance(controller, Scripted)
        assert controller.calls[0].params["CreationToken"]


class TestDefectsOfOurs:
    async def test_a_crashing_handler_is_a_clear_internal_failure(self, caplog: pytest.LogCaptureFixture) -> None:
        async with world(scripted({LIST: KeyError("x")})) as w:
            with pytest.raises(ClientError, match=r"The emulation of ecs:ListClusters failed: KeyError\('x'\)"):
                await asyncio.to_thread(w.client("ecs").list_clusters)
            with pytest.raises(AwsError) as refused:
                await w.aws.call(*LIST)

        assert (refused.value.code, refused.value.status) == ("InternalFailure", 500)
        assert "Traceback" in caplog.text

    @pytest.mark.parametrize(
        ("answer", "path"),
        [
            ({"clusterArn": []}, "ecs:ListClusters.clusterArn is not a member"),
            ({"clusterArns": "arn"}, "ecs:ListClusters.clusterArns must be a list"),
            ([], "ecs:ListClusters must be a mapping"),
        ],
    )
    async def test_a_result_the_model_does_not_have_is_named(self, answer: Any, path: str) -> None:
        async def handler(_: Call) -> Any:
            return answer

        async with world(scripted({LIST: handler})) as w:
            with pytest.raises(AwsError, match=path):
                await w.aws.call(*LIST)
