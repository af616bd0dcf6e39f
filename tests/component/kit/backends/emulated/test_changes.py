"""The feed of a real cloud: what changes is announced, what is only read is not, and its end is noticed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.kit import some_settings
from tests.support.system import until
from webordinary_testkit.kit.backends.emulated.backend import EmulatedBackend
from webordinary_testkit.kit.backends.emulated.changes import ANNOUNCED
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History


async def test_changes_are_announced_until_the_cloud_ends(tmp_path: Path) -> None:
    backend = EmulatedBackend(some_settings(), tmp_path, History(Clock()))
    cloud = await backend.start()
    try:
        changes, aws = cloud.changes, cloud.aws
        await until(lambda: changes.covers(ANNOUNCED))
        assert not changes.covers({"sqs"})

        known = changes.number
        service = {"cluster": cloud.stack.cluster_name, "service": cloud.stack.outputs["HermesServiceName"]}
        await aws.call("ecs", "update_service", desiredCount=1, **service)
        await asyncio.wait_for(changes.since(known, {"ecs"}), 10)

        group = cloud.stack.outputs["HermesTargetGroupArn"]
        while (await aws.call("elbv2", "describe_target_health", TargetGroupArn=group))[
            "TargetHealthDescriptions"
        ] == []:
            await asyncio.wait_for(changes.since(known, {"ecs", "elbv2"}), 30)
            known = changes.number

        await aws.call("ecs", "update_service", desiredCount=0, **service)
        quiet = asyncio.create_task(changes.since(changes.number, {"dynamodb"}))
        await aws.call("dynamodb", "list_tables")
        await asyncio.sleep(0.3)
        assert not quiet.done()
        quiet.cancel()
    finally:
        await backend.stop()
    assert not changes.covers({"ecs"})
