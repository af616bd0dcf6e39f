"""The files of one commit, read from git's objects: consistent, whatever happens in the working tree."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from .git import Git, GitError


class BlobCache:
    """Contents by object id, which never change; the least used go when there is too much."""

    def __init__(self, limit: int = 64 * 2**20) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._size = 0
        self._blobs: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, blob: str) -> bytes | None:
        with self._lock:
            if blob in self._blobs:
                self._blobs.move_to_end(blob)
            return self._blobs.get(blob)

    def put(self, blob: str, content: bytes) -> None:
        with self._lock:
            if blob in self._blobs or len(content) > self._limit:
                return
            self._blobs[blob] = content
            self._size += len(content)
            while self._size > self._limit:
                _, dropped = self._blobs.popitem(last=False)
                self._size -= len(dropped)


class Snapshot:
    """The files of a commit. Blocking; what is under src/ is read at once when it is made."""

    def __init__(self, git: Git, git_dir: Path, commit: str, cache: BlobCache) -> None:
        self.commit = commit
        self._git = git
        self._git_dir = git_dir
        self._cache = cache
        self._blobs = dict(_listed(git.run(git_dir, "ls-tree", "-r", "-z", "--full-tree", commit)))
        self._fetch(blob for path, blob in self._blobs.items() if path.startswith("src/"))

    def paths(self) -> Collection[str]:
        return self._blobs.keys()

    def blobs(self) -> Mapping[str, str]:
        """The object id of each file's content, by path."""
        return self._blobs

    def contents(self, paths: Collection[str]) -> dict[str, bytes]:
        """Many files at once. Raises KeyError when the commit does not have one of them."""
        cached = {path: self._cache.get(self._blobs[path]) for path in paths}
        fetched = self._fetch({self._blobs[path] for path, content in cached.items() if content is None})
        return {path: fetched[self._blobs[path]] if content is None else content for path, content in cached.items()}

    def read(self, path: str) -> bytes:
        """Raises KeyError when the commit has no such file."""
        blob = self._blobs[path]
        content = self._cache.get(blob)
        return self._fetch([blob])[blob] if content is None else content

    def _fetch(self, blobs: Iterable[str]) -> dict[str, bytes]:
        missing = [blob for blob in blobs if self._cache.get(blob) is None]
        if not missing:
            return {}
        wanted = "".join(f"{blob}\n" for blob in missing).encode()
        fetched = dict(_contents(self._git.run(self._git_dir, "cat-file", "--batch", stdin=wanted)))
        for blob, content in fetched.items():
            self._cache.put(blob, content)
        return fetched


def _listed(output: bytes) -> Iterable[tuple[str, str]]:
    """`<mode> <type> <object>\\t<path>`, ended by NUL: ordinary files only, no links, no submodules."""
    for entry in output.split(b"\0"):
        facts, _, path = entry.decode("utf-8", "surrogateescape").partition("\t")
        if facts.startswith("100"):
            yield path, facts.split(" ")[2]


def _contents(output: bytes) -> Iterable[tuple[str, bytes]]:
    """`<object> blob <size>\\n<content>\\n`, again and again."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        blob, kind, *size = output[at:end].decode().split(" ")
        if kind != "blob":
            raise GitError(f"object {blob} is {kind}")
        at = end + 1
        yield blob, output[at : at + int(size[0])]
        at += int(size[0]) + 1
