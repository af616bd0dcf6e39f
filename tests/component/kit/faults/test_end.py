"""The end of a cloud is the end of its faults."""

from __future__ import annotations

from tests.support.faults import place
from webordinary_testkit.kit.backends.emulated.admin_api import AdminApi
from webordinary_testkit.kit.backends.emulated.fault_api import GatewayFaultApi
from webordinary_testkit.kit.core.threads import BlockingPool
from webordinary_testkit.kit.faults import PauseTask


async def test_a_cloud_that_ends_takes_its_faults_with_it() -> None:
    async with place() as p:
        task = await p.task()
        host, port = await p.context.address(await p.context.task(task))
        await PauseTask(task).inject(p.context)
        assert await p.context.probe(host, port, 0.3) == "silent"
    assert await p.context.probe(host, port, 0.3) == "refused"  # the paused process is gone


async def test_undoing_a_fault_of_a_cloud_that_is_gone_is_harmless() -> None:
    async with place() as p:
        url = p.cloud.gateway.url
    threads = BlockingPool(1)
    await GatewayFaultApi(AdminApi(url, "test"), threads).undo("whatever")
    threads.close()
