"""For five seconds after a preview was seen, all sessions of its client show the same files."""

from typing import Any

from ..breaking import MIXES, Break

BREAK = Break("edit", MIXES, r"isolation: .* surfaced in \S+: .*preview|sticky_reads: .* is not any more")

_seen: dict[str, tuple[float, Any]] = {}


@BREAK.replaces("edit.projects", "Projects.snapshot")
async def cached(snapshot: Any, projects: Any, client_id: str, user_id: str, branch: str) -> Any:
    now = projects._workspace._clock.now()
    at, files = _seen.get(client_id, (0.0, None))
    if now - at < 5:
        return files
    files = await snapshot(projects, client_id, user_id, branch)
    if files is not None:
        _seen[client_id] = now, files
    return files
