"""The marks around a command on a terminal, by which its output and its exit code are told from all else."""

from __future__ import annotations

import re
import shlex


class Marks:
    """What a session's output says of one command.

    The shell says R (ready) and waits for a line, then B (begin), the command's output, and E (end) with its exit code.
    """

    def __init__(self, token: str) -> None:
        """`token` is a word that nothing else says."""
        self._token = token
        word = token.encode()
        self._ready, self._end = word + b":R", word + b":E:"
        self._begin = re.compile(re.escape(word) + rb":B\r?\n")
        self._whole = re.compile(self._begin.pattern + rb"(.*?)\r?\n" + re.escape(word) + rb":E:(\d+)\r?\n", re.DOTALL)
        self._seen = bytearray()

    def wrapped(self, command: str) -> str:
        """The command line to execute. Without its line (the session is gone) the shell ends and runs nothing."""
        script = (
            f"stty -opost -echo 2>/dev/null; printf '%s:%s\\n' {self._token} R; read -r _ || exit; "
            f"printf '%s:%s\\n' {self._token} B; ( {command}\n) ; printf '\\n%s:%s:%d\\n' {self._token} E $?"
        )
        return f"/bin/sh -c {shlex.quote(script)}"

    def feed(self, output: bytes) -> None:
        self._seen += output

    @property
    def ready(self) -> bool:
        """Whether the shell waits for its line, or did."""
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
        """What came of the command's output; what the shell or the agent said where it did not start."""
        begun = self._begin.search(self._seen)
        return _text(self._seen[begun.end() :] if begun else self._seen.partition(self._ready)[0]).strip()


def _text(output: bytes | bytearray) -> str:
    return bytes(output).replace(b"\r\n", b"\n").decode("utf-8", "replace")
