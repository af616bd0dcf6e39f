"""Looks at every place where a marker of Webordinary may surface, and records the markers there."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...harness.sessions import TestSession
from ...system import facts
from ..mix import name_of
from ..play import Play
from .threads import Threads

_READS = 3
"""Times that the workspaces are read before they count as out of reach."""
_FOREIGN_PAGES = 4
"""Pages of other strands that are asked for at each session's preview."""

_PROJECT = """
for project in {clients}; do
  case "$project" in *\\**) continue;; esac
  cd "$project" || continue
  echo "folder:$project"
  {{ find . -name .git -prune -o -print; grep -rh --exclude-dir=.git -F {markers} . ; }} | grep -oF {markers} | sort -u
  for branch in $(git -c 'safe.directory=*' for-each-ref --format='%(refname:short)' refs/heads); do
    echo "branch:$branch"
    git --no-pager -c 'safe.directory=*' log --reverse --color=never --patch --format='commit:%H%n%an %ae %D%n%B' \
      "$branch" | grep -oE 'commit:[0-9a-f]{{40}}|{pattern}' | uniq
  done
done
"""


@dataclass
class Folder:
    """What one project folder of the workspace holds."""

    path: str
    files: list[str] = field(default_factory=list)
    """Markers in names and contents of files."""
    branches: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)
    """Commits with their markers, oldest first, by branch."""

    def history(self) -> list[str]:
        """Every marker of its commits, the oldest first, each once."""
        found = [marker for commits in self.branches.values() for _, markers in commits for marker in markers]
        return list(dict.fromkeys(found))


async def everywhere(play: Play, threads: Threads, *, workspaces: bool = False) -> None:
    """Rows, previews, sockets and task counts; at the end the workspaces too, which takes a command in a container."""
    async with asyncio.TaskGroup() as group:
        for strand, session in threads.sessions():
            group.create_task(row(play, strand, session))
            group.create_task(preview(play, threads, strand, session))
        group.create_task(_counts(play))
        if workspaces and play.marker_of:
            group.create_task(_workspaces(play, threads))
    hot_reload(play, threads)


async def _counts(play: Play) -> None:
    count = await play.h.services.count("edit")
    play.note("mix.counts", {"running": count.running, "desired": count.desired})


async def row(play: Play, strand: int, session: TestSession) -> None:
    """The row of a session, whose text may hold no foreign marker."""
    found = await play.h.session_row(session)
    value = {"status": "gone", "ttl": 0, "last_activity": 0}
    if found is not None:
        value = {
            "status": found.status,
            "ttl": found.ttl_seconds,
            "last_activity": found.last_activity_ms,
        }
    play.note("mix.row", value, session=name_of(strand), session_id=session.session_id)


async def rows(play: Play, threads: Threads) -> None:
    for strand, session in threads.sessions():
        await row(play, strand, session)


async def preview(play: Play, threads: Threads, strand: int, session: TestSession) -> None:
    """The home page of a session's preview, its own pages, and some pages that are not its own."""
    own = threads[strand].pages
    others = [page for other in threads if other != strand for page in threads[other].pages]
    for page in ["", *own, *others[-_FOREIGN_PAGES:]]:
        try:
            answer = await play.h.fetch_preview(session, page)
        except OSError:
            continue  # no container, or it went away: there is nothing to see
        if answer.by_balancer:
            continue
        project = threads.project(strand)
        shown = answer.body if answer.status == 200 else ""
        look = {"project": project, "session_id": session.session_id}
        play.saw("preview", strand, shown, **look, status=answer.status, page=page)


def hot_reload(play: Play, threads: Threads) -> None:
    """What came over the sockets so far."""
    for strand in threads:
        for _, socket in threads[strand].sockets:
            play.saw("hot_reload", strand, repr(socket.messages), project=threads.project(strand))


def replies(play: Play, threads: Threads) -> None:
    """Every reply that came, to the mail that it answers."""
    sent = {mail.message_id: strand for strand in threads for _, mail in threads[strand].mails}
    for address in {threads.user_id(strand).lower() for strand in threads if threads[strand].mails}:
        for reply in play.h.mail.replies(address):
            strand = sent.get(reply.in_reply_to)
            markers = play.markers.found_in(f"{reply.message['Subject']}\n{facts.body_text(reply.message)}")
            touches = {"session": name_of(strand)} if strand is not None else {}
            value = {"markers": markers, "sent": reply.sent}
            play.note("mix.reply", value, user=address, message=reply.in_reply_to, **touches)


async def _read_workspaces(play: Play, command: str) -> str:
    """The output of a command that only reads; repeated when its container goes away, empty when there is none."""
    from ...ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

    because = ""
    for _ in range(_READS):
        try:
            return (await play.h.exec_in_container(command)).output
        except ExecError as gone:
            because = str(gone)
        except LookupError as none:
            because = str(none)
            break
    play.note("mix.no_workspace", {"because": because[:300]})
    return ""


async def _workspaces(play: Play, threads: Threads) -> None:
    output = await _read_workspaces(play, _command(play, threads))
    owner = {marker: _strand_of(threads, label) for label, marker in play.marker_of.items()}
    for folder in _read(output.splitlines()):
        markers = folder.history() or folder.files
        if not markers:
            continue
        strand = owner.get(markers[0])
        if strand is None:
            continue
        person = threads.person(strand)
        play.saw("files", strand, folder.files, project=person, folder=folder.path)
        play.saw("history", strand, folder.history(), project=person, folder=folder.path)
        for branch, commits in folder.branches.items():
            _commits(play, threads, strand, branch, commits)


def _commits(play: Play, threads: Threads, owner: int, branch: str, commits: list[tuple[str, list[str]]]) -> None:
    """The commits of a branch, for the strand whose thread it is; of no strand, for the folder's owner."""
    thread = branch.removeprefix("thread-")
    person = threads.person(owner)
    strand = next(
        (one for one in threads if threads.person(one) == person and threads[one].conversation == thread), owner
    )
    play.note(
        "mix.commits",
        {"branch": branch, "commits": [{"id": id, "markers": markers} for id, markers in commits]},
        session=name_of(strand),
        project=threads.project(strand),
    )


def _strand_of(threads: Threads, label: str) -> int:
    """The number of the strand of an action's label."""
    name = label.partition(".")[0]
    return next(strand for strand in threads if name_of(strand) == name)


def _command(play: Play, threads: Threads) -> str:
    clients = sorted({play.client(strand) for strand in threads})
    markers = sorted(play.marker_of.values())
    return _PROJECT.format(
        clients=" ".join(f'"$WORKSPACE_PATH"/{shlex.quote(client)}/*/project' for client in clients),
        markers=" ".join(f"-e {marker}" for marker in markers),
        pattern="|".join(markers),
    )


def _read(lines: Iterable[str]) -> Iterator[Folder]:
    folder: Folder | None = None
    commits: list[tuple[str, list[str]]] | None = None
    for line in map(str.strip, lines):
        kind, _, value = line.partition(":")
        if kind == "folder":
            if folder is not None:
                yield folder
            folder, commits = Folder(value), None
        elif folder is None:
            continue
        elif kind == "branch":
            commits = folder.branches.setdefault(value, [])
        elif kind == "commit" and commits is not None:
            commits.append((value, []))
        elif commits:
            if line not in commits[-1][1]:
                commits[-1][1].append(line)
        elif line:
            folder.files.append(line)
    if folder is not None:
        yield folder
