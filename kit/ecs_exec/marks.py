"""Marks around a command on a terminal, which delimit its output and carry its exit code."""

from __future__ import annotations

import re
import shlex


class Marks:
    """Parses a session's output for one command.

    The shell prints R (ready), waits for a line, then prints B (begin), the output, and E (end) with the exit code.
    """

    def __init__(self, token: str) -> None:
        """`token` is a word that does not occur in any output."""
        self._token = token
        word = token.encode()
        self._ready, self._end = word + b":R", word + b":E:"
        self._begin = re.compile(re.escape(word) + rb":B\r?\n")
        self._whole = re.compile(self._begin.pattern + rb"(.*?)\r?\n" + re.escape(word) + rb":E:(\d+)\r?\n", re.DOTALL)
        self._seen = bytearray()

    def wrapped(self, command: str) -> str:
        """The command line to execute. If the session ends before the newline, the shell exits and runs nothing."""
        script = (
            f"stty -opost -echo 2>/dev/null; printf '%s:%s\\n' {self._token} R; read -r _ || exit; "
            f"printf '%s:%s\\n' {self._token} B; ( {command}\n) ; printf '\\n%s:%s:%d\\n' {self._token} E $?"
        )
        return f"/bin/sh -c {shlex.quote(script)}"

    def feed(self, output: bytes) -> None:
        self._seen += output

    @property
    def ready(self) -> bool:
        """Whether the shell is ready for the newline."""
        return self._ready in self._seen

    @property
    def started(self) -> bool:
        return self._begin.search(self._seen) is not None

    def end(self) -> tuple[str, int] | None:
        """The command's output and exit code once it has ended."""
        if self._end not in self._seen or (found := self._whole.search(self._seen)) is None:
            return None
        return _text(found[1]).removesuffix("\n"), int(found[2])

    def so_far(self) -> str:
        """The command's output so far; if it has not started, the output of the shell or the agent."""
        begun = self._begin.search(self._seen)
        return _text(self._seen[begun.end() :] if begun else self._seen.partition(self._ready)[0]).strip()


def _text(output: bytes | bytearray) -> str:
    return bytes(output).replace(b"\r\n", b"\n").decode("utf-8", "replace")
