"""The player that answers: `python -m tests.support.pingpong.partner SEED`. Prints its port, and at the end its result.

Its standard input gets the URL of its queue.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

from tests.support.pingpong.work import BEATS, Player, say
from webordinary_testkit.awsclock.loop import run

POLLS = 3


class Partner:
    def __init__(self, player: Player) -> None:
        self._player = player
        self.over = asyncio.Event()

    async def get(self, request: web.BaseRequest) -> web.StreamResponse:
        if "jumps" in request.query:
            self._player.arrived("request by the load balancer", int(request.query["jumps"]))
            await self._player.work(request.query["kind"])
            await self._player.sleep(float(request.query["sleep"]))
        return web.Response(text=str(self._player.jumps))

    async def poll(self, queue: str) -> None:
        """Receive until the game is over, each message handled by a task of its own."""
        player = self._player
        async with asyncio.TaskGroup() as handling:
            while not self.over.is_set():
                answer = await player.aws.call("sqs", "receive_message", QueueUrl=queue, WaitTimeSeconds=20)
                for message in answer.get("Messages", ()):
                    handling.create_task(self._handle(queue, message["ReceiptHandle"], json.loads(message["Body"])))

    async def _handle(self, queue: str, receipt: str, body: dict[str, Any]) -> None:
        player = self._player
        if body.get("over"):
            self.over.set()
            return
        if not body["delay"]:
            player.arrived("message to the partner", body["jumps"])
        await player.call("delete_message", QueueUrl=queue, ReceiptHandle=receipt)
        await player.work(body["kind"])
        await player.sleep(body["sleep"])
        await player.call("send_message", QueueUrl=body["reply"], MessageBody=json.dumps({"jumps": player.jumps}))


async def main(seed: int) -> None:
    player = Player.of("the partner", seed)
    partner = Partner(player)
    server = await asyncio.get_running_loop().create_server(web.Server(partner.get, access_log=None), "127.0.0.1", 0)
    say(str(server.sockets[0].getsockname()[1]))
    queue = (await asyncio.to_thread(sys.stdin.readline)).strip()
    beats = [asyncio.create_task(player.beat()) for _ in range(BEATS)]
    async with asyncio.TaskGroup() as polls:
        for _ in range(POLLS):
            polls.create_task(partner.poll(queue))
    for each in beats:
        each.cancel()
    say(json.dumps(player.result()))


if __name__ == "__main__":
    run(main(int(sys.argv[1])))
