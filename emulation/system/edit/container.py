"""Everything one edit task consists of, put together; and its life from start to stop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from ..answers import Refused
from ..aws import Aws
from ..ids import Ids
from ..table import Table
from .activity import Activity
from .astro.preview import AstroPreview
from .builtin import BuiltinPreview
from .config import Settings
from .directory import Directory, Place
from .git import Git, GitError
from .hot_reload import Branch, HotReload
from .identity import task_arn
from .origin import Origin
from .preview import Preview
from .projects import Projects
from .work import Order, Worker
from .workspace import Workspace

log = logging.getLogger(__name__)

GRACE = 20.0
"""AWS seconds that works under way are given when the task stops; ECS gives it 30."""
_GIT_THREADS = 8


class Container:
    def __init__(self, settings: Settings) -> None:
        self.clock = settings.clock
        self.task_arn = ""
        self._settings = settings
        self._threads = ThreadPoolExecutor(_GIT_THREADS, thread_name_prefix="git")
        self._aws = Aws(settings.clock, Ids(), region=settings.region, threads=4)
        table = Table(self._aws, settings.sessions_table, key="sessionId")
        self._workspace = Workspace(settings.workspace, settings.clock)
        self._git = Git(settings.git, self._workspace.private / "home", settings.workspace, settings.clock)
        self._origin = Origin(self._git, self._workspace, settings.repository_url)
        self.projects = Projects(self._git, self._workspace, self._origin, self._threads)
        self.directory = Directory(self._workspace, table, settings.clock)
        self.activity = Activity(table, settings.clock)
        self.hot_reload = HotReload(self.projects, self.activity, settings.clock)
        self.worker = Worker(self._workspace, self.projects, settings.clock, self._threads, self._worked)
        self.preview = self._chosen_preview(settings)
        self._background: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """What must be there before the first request; raises OSError. The rest follows in the background."""
        self._workspace.set_up()
        self._git.set_up()

    def start_background(self) -> None:
        """Call when requests are served already."""
        self._background.append(asyncio.create_task(self._prepare(), name="prepare"))

    async def stop(self) -> None:
        """End what is under way; requests are served still."""
        await self.preview.close()
        await self.hot_reload.close()
        await self.worker.finish(within=GRACE)
        for task in self._background:
            task.cancel()

    async def close(self) -> None:
        """Call when no request is served any more: AWS and git are not available after this."""
        await self.activity.finish(within=2.0)
        self._aws.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def problem(self) -> str | None:
        """Why this task cannot serve now; None when it can."""
        if not self._workspace.is_usable():
            return f"the workspace {self._workspace.root} is not there or not writable"
        return self._origin.problem

    async def place(self, request: web.Request) -> Place:
        """The session a request names, in its path or its query; raises `Refused` with 404."""
        session_id = request.match_info.get("session_id") or request.query.get("session", "")
        place = await self.directory.find(session_id)
        if place is None:
            raise Refused(404, "Session not found")
        return place

    def default_branch(self) -> Branch | None:
        """What a hot-reload socket follows that names no session."""
        if not (self._settings.default_client_id and self._settings.default_user_id):
            return None
        return Branch(self._settings.default_client_id, self._settings.default_user_id, None)

    def _chosen_preview(self, settings: Settings) -> Preview:
        if settings.astro is not None:
            return AstroPreview(settings.astro, self.projects, self.activity, settings.clock, self._threads)
        return BuiltinPreview(self.projects, self.hot_reload)

    def _worked(self, order: Order) -> None:
        self.hot_reload.notice(order.client_id, order.user_id, order.branch)
        self.preview.notice(Place(order.session_id, order.client_id, order.user_id, order.thread_id))

    async def _prepare(self) -> None:
        """What the first work, the first page and the first activity would otherwise wait for."""
        log.info("pages are shown", extra={"preview": self.preview.name, "because": self._settings.why_builtin})
        self._background.append(asyncio.create_task(self.preview.prepare(), name="prepare the preview"))
        try:
            await self._origin.ensure()
        except (GitError, OSError):
            log.exception("the site's repository is missing")
        self._aws.prepare("dynamodb")
        self.task_arn = await asyncio.to_thread(task_arn, self._settings.metadata_uri)
