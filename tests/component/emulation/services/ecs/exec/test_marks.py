"""A command's output between its marks, however the terminal cuts it."""

from __future__ import annotations

import shlex
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.kit.ecs_exec.marks import Marks


@given(cuts=st.lists(st.integers(0, 200), max_size=8), newline=st.sampled_from(("\n", "\r\n")))
def test_the_end_is_seen_with_the_last_byte_and_not_before(cuts: list[int], newline: str) -> None:
    said = newline.join(("sh: noise", "tok:R", "tok:B", "one", "tok:E", "", "two", "", "tok:E:17", "")).encode()
    marks = Marks("tok")
    edges = sorted({0, *(min(cut, len(said) - 1) for cut in cuts), len(said) - 1})
    for start, end in pairwise(edges):
        marks.feed(said[start:end])
        assert marks.end() is None
    marks.feed(said[-1:])
    assert marks.end() == ("one\ntok:E\n\ntwo", 17)


@pytest.mark.parametrize(
    ("said", "ready", "started", "so_far"),
    [
        (b"", False, False, ""),
        (b"/bin/sh: not found\r\n", False, False, "/bin/sh: not found"),
        (b"tok:R\n", True, False, ""),
        (b"tok:R\ntok:B\n", True, True, ""),
        (b"tok:R\ntok:B\nhalf a li", True, True, "half a li"),
    ],
)
def test_what_is_known_on_the_way(said: bytes, ready: bool, started: bool, so_far: str) -> None:
    marks = Marks("tok")
    marks.feed(said)
    assert (marks.ready, marks.started, marks.so_far(), marks.end()) == (ready, started, so_far, None)


@pytest.mark.parametrize(("line", "said"), [("\n", "tok:R\ntok:B\nran\n\ntok:E:3\n"), ("", "tok:R\n")])
def test_the_shell_runs_the_command_only_when_it_is_sent_its_line(line: str, said: str) -> None:
    shell = subprocess.run(
        shlex.split(Marks("tok").wrapped("echo ran; exit 3 # done")),  # as the agent does
        input=line,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shell.stdout == said
