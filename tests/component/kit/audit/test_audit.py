"""The audit's parts: who is dead, what was theirs, and what is not touched."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from webordinary_testkit.emulation.container_engine import labels
from webordinary_testkit.emulation.core.guardian import MARKER as MARKER_OF_THE_CLOUD
from webordinary_testkit.emulation.core.run_token import RUN_VARIABLE
from webordinary_testkit.kit.audit import Leftover, Note, RunNotes, Runs, audit, audit_self
from webordinary_testkit.kit.audit.audit import AuditOutcome
from webordinary_testkit.kit.audit.collectors import collectors, engine
from webordinary_testkit.kit.audit.collectors.files import Files
from webordinary_testkit.kit.audit.collectors.folders import MARKER, Folders
from webordinary_testkit.kit.audit.machine import Identity, carriers, identity
from webordinary_testkit.kit.audit.notes import TOKEN_VARIABLE
from webordinary_testkit.kit.cli import running
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.runner.report import Report, run_folder

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's environment")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's temporary folder, as far as the kit sees it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path.resolve()))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")  # what others have in an engine is not told here
    return tmp_path.resolve()


@pytest.fixture
def note(temporary: Path) -> Iterator[Note]:
    made = a_note(temporary)
    yield made
    made.close()


def a_note(temporary: Path, run: str = "r1") -> Note:
    return RunNotes().open(run, report_dir=temporary / ".kit", folder=temporary / ".kit" / "runs" / run, since=1.0)


def dead(temporary: Path, run: str = "r1", **facts: Any) -> Note:
    """A note whose holder is gone: it was another process of this one's number."""
    note = a_note(temporary, run)
    note.add(started="long ago", **facts)
    note.close(forget=False)
    return note


def started(script: str, pass_fds: Sequence[int] = (), **variables: str) -> tuple[subprocess.Popen[bytes], bytes]:
    """A process in a session of its own that says one line and stays for a minute; and that line."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", f"{script}; import time; time.sleep(60)"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    assert process.stdout is not None
    return process, process.stdout.readline()


def sleeper(**variables: str) -> subprocess.Popen[bytes]:
    return started("print(1, flush=True)", **variables)[0]


def test_both_sides_name_the_token_and_the_marker_alike() -> None:
    assert (TOKEN_VARIABLE, MARKER) == (RUN_VARIABLE, MARKER_OF_THE_CLOUD)


def test_both_sides_know_a_process_by_the_same_birth_and_labels() -> None:
    mine = identity(os.getpid())
    assert mine is not None
    assert mine.started == labels.birth(mine.pid)
    owner = labels.Owner("kit-1", mine.pid, mine.started, socket.gethostname(), 1, "token")
    assert set(owner.labels()) == {engine.RUN, engine.PID, engine.BIRTH, engine.HOST, engine.EXPIRES, engine.TOKEN}


class TestEngine:
    """Without one: what a note says of an engine that cannot be asked."""

    async def test_an_engine_that_cannot_be_asked_is_left_and_keeps_the_note(self, temporary: Path) -> None:
        gone = "unix:///gone/docker.sock"
        note = dead(temporary, engine={"url": gone, "variables": {"DOCKER_HOST": gone}})

        audited = await audit(dry_run=False)

        (line, kept) = audited.left
        assert f"the container engine at {gone}, which cannot be asked" in line.what
        assert str(note.noted().path) in line.what
        assert "kept" in kept.how
        assert [noted.token for noted in RunNotes().read()] == [note.token]

    async def test_a_context_that_leads_elsewhere_by_now_is_not_taken_for_the_engine(self, temporary: Path) -> None:
        told = {"url": "tcp://far:1", "variables": {"DOCKER_CONTEXT": "no-such-context"}}
        dead(temporary, engine=told)

        audited = await audit(dry_run=True)

        assert "the container engine at tcp://far:1, which cannot be asked" in audited.left[0].what

    async def test_a_run_without_an_engine_asks_none(self, temporary: Path) -> None:
        dead(temporary)
        assert (await audit(dry_run=False)).left == []

    @pytest.mark.parametrize(
        ("told", "says"),
        [
            ({}, ""),
            ({"birth": "another"}, "whose process"),
            ({"host": "elsewhere", "birth": "another"}, ""),
            ({"host": "elsewhere", "expires": "5"}, "on elsewhere, which expired at 1970-01-01T00:00:05"),
            ({"pid": "x"}, "no note here tells of"),
        ],
        ids=["at work", "gone", "elsewhere", "expired", "nobody's"],
    )
    def test_what_no_note_tells_the_labels_do(self, told: Mapping[str, str], says: str) -> None:
        mine = labels.Owner.this_process("kit-1", 1_000.0).labels()
        found = engine._owner({**mine, **{f"com.webordinary.kit.{name}": each for name, each in told.items()}}, 2_000.0)
        assert says in found
        assert bool(says) == bool(found)


class TestLedger:
    def test_a_note_whose_holder_lives_is_of_a_run_that_is_not_over(self, note: Note) -> None:
        (noted,) = RunNotes().read()
        assert (noted.id, noted.token, noted.over) == ("r1", note.token, False)

    def test_the_lock_alone_keeps_a_run_alive(self, note: Note) -> None:
        note.add(started="in another namespace")  # where process ids mean something else

        assert [noted.over for noted in RunNotes().read()] == [False]

    def test_a_process_id_that_was_used_again_keeps_nothing_alive(self, temporary: Path) -> None:
        dead(temporary, pid=os.getpid())

        assert [noted.over for noted in RunNotes().read()] == [True]

    def test_a_last_line_that_was_not_finished_is_as_if_it_were_not_there(self, temporary: Path) -> None:
        path = RunNotes().folder / f"{dead(temporary).token}.run"
        path.write_text(path.read_text() + '{"cloud": [12')

        assert [noted.child for noted in RunNotes().read()] == [None]

    def test_what_is_no_note_is_left_out(self, note: Note) -> None:
        (RunNotes().folder / "x.run").write_text("{}\n")
        (RunNotes().folder / "y.run").write_text("[]\n")

        assert [noted.id for noted in RunNotes().read()] == ["r1"]

    def test_a_folder_that_others_can_write_is_refused(self, temporary: Path) -> None:
        RunNotes().folder.mkdir()
        RunNotes().folder.chmod(0o777)

        with pytest.raises(UsageError, match="only this user can write"):
            a_note(temporary)

    def test_an_orderly_end_takes_the_note_away(self, note: Note) -> None:
        note.close()
        assert RunNotes().read() == []


@linux
class TestProcesses:
    async def test_a_process_with_the_dead_runs_token_is_killed_and_told(self, temporary: Path) -> None:
        process = sleeper(**{TOKEN_VARIABLE: dead(temporary).token})

        audited = await audit(dry_run=False)

        assert process.wait(5) == -9
        assert [(line.what.split()[:2], line.how) for line in audited.lines[:1]] == [
            (["process", str(process.pid)], "killed")
        ]
        assert audited.left == []

    async def test_a_dry_run_only_tells(self, temporary: Path) -> None:
        process = sleeper(**{TOKEN_VARIABLE: dead(temporary).token})
        try:
            audited = await audit(dry_run=True)
            assert [line.what.split()[1] for line in audited.left][:1] == [str(process.pid)]
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()

    async def test_one_that_cleared_its_environment_is_known_by_the_leader_of_its_session(
        self, temporary: Path
    ) -> None:
        token = dead(temporary).token
        leader, said = started(
            "import os, time; print(os.spawnve(os.P_NOWAIT, '/bin/sleep', ['sleep', '60'], {}), flush=True)",
            **{TOKEN_VARIABLE: token},
        )
        child = int(said)

        assert [one.identity.pid for one in carriers(TOKEN_VARIABLE, [token])] == sorted([leader.pid, child])
        await audit(dry_run=False)
        assert (identity(leader.pid), identity(child)) == (None, None)
        leader.wait()

    def test_nobody_else_of_the_same_number_is_killed(self) -> None:
        process = sleeper()
        try:
            Identity(process.pid, "earlier").kill()
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()

    async def test_a_port_is_told_with_its_process(self, temporary: Path) -> None:
        token = dead(temporary).token
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            process, _ = started("print(1, flush=True)", pass_fds=[server.fileno()], **{TOKEN_VARIABLE: token})
        audited = await audit(dry_run=False)
        process.wait(5)

        assert [f"port 127.0.0.1:{port} (of process {process.pid})"] == [
            line.what for line in audited.cleaned if line.what.startswith("port")
        ]
        with socket.create_server(("127.0.0.1", port)):
            pass


class TestFolders:
    async def test_a_folder_needs_the_note_and_the_marker(self, temporary: Path) -> None:
        marked, unmarked = dead(temporary, "marked").workdir, dead(temporary, "unmarked").workdir
        stranger = temporary / "emulated-cloud-stranger"
        for folder in (marked, unmarked, stranger):
            folder.mkdir()
            (folder / "file").write_text("x")
        (marked / MARKER).write_text("token")

        audited = await audit(dry_run=False)

        assert [marked.exists(), unmarked.exists(), stranger.exists()] == [False, True, True]
        assert [line.what for line in audited.cleaned if line.what.startswith("folder")] == [f"folder {marked}"]

    async def test_a_link_in_its_place_is_not_followed(self, temporary: Path) -> None:
        elsewhere = temporary / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / MARKER).write_text("token")
        workdir = dead(temporary).workdir
        workdir.symlink_to(elsewhere)

        await audit(dry_run=False)

        assert (elsewhere / MARKER).exists()

    async def test_a_marked_folder_in_no_note_is_told_and_left_alone(self, temporary: Path) -> None:
        folder = temporary / "emulated-cloud-by-hand"
        folder.mkdir()
        (folder / MARKER).write_text("token")

        audited = await audit(dry_run=False)

        assert [(line.outcome, str(folder) in line.what) for line in audited.lines] == [(AuditOutcome.DOUBTFUL, True)]
        assert folder.exists()

    async def test_the_folder_of_a_run_that_is_alive_is_neither_told_nor_touched(self, note: Note) -> None:
        note.workdir.mkdir()
        (note.workdir / MARKER).write_text("token")

        audited = await audit(dry_run=False)

        assert (audited.lines, [run.id for run in audited.alive]) == ([], ["r1"])
        assert note.workdir.exists()


class TestFiles:
    async def test_what_the_kit_itself_writes_is_found_where_it_writes_it(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report_dir = temporary / ".kit"
        monkeypatch.setattr(Path, "replace", lambda self, target: None)  # killed just before it is in collector
        report = Report(run_folder(report_dir, "r1"), "r1", {}, 1.0)
        report.write(2.0)
        (noted,) = Runs([dead(temporary).noted()]).over
        (report_dir / running.FILE).write_text(json.dumps({"pid": noted.holder.pid}))

        found = await Files().look(Runs([noted]))

        kept = {"history.jsonl", "report.json", ".gitignore"}
        there = {path for path in report_dir.rglob("*") if path.is_symlink() or path.is_file()}
        assert {one.key for one in found} == {path for path in there if path.name not in kept}

    async def test_another_clouds_note_stays(self, temporary: Path) -> None:
        up = temporary / ".kit" / running.FILE
        up.parent.mkdir()
        up.write_text(json.dumps({"pid": os.getpid() + 1}))
        dead(temporary)

        await audit(dry_run=False)

        assert up.exists()


class Sticky:
    """A collector whose things cannot be removed."""

    name = "sticky"

    def __init__(self, token: str) -> None:
        self._thing = Leftover("thing", token)

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        return [self._thing]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        return {self._thing: "refused: it is stuck"}

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        return []


class TestOutcome:
    async def test_what_is_still_there_is_not_called_cleaned_and_its_note_is_kept(self, temporary: Path) -> None:
        token = dead(temporary).token

        audited = await audit(collectors=[Sticky(token)], dry_run=False)

        assert str(audited.left[0]) == "thing of run r1: refused: it is stuck, but it is still there"
        assert [noted.token for noted in RunNotes().read()] == [token]

    async def test_a_run_that_ended_in_order_left_nothing_and_its_note_is_gone(self, note: Note) -> None:
        assert await audit_self(note) == []
        assert RunNotes().read() == []

    @linux
    async def test_a_run_finds_what_escaped_from_it(self, note: Note) -> None:
        process = sleeper(**{TOKEN_VARIABLE: note.token})

        (line,) = await audit_self(note)

        assert (line.outcome, line.how, process.wait(5)) == (AuditOutcome.CLEANED, "killed", -9)
        assert RunNotes().read() == []

    async def test_looking_for_its_own_is_cheap(self, note: Note) -> None:
        import time

        began = time.perf_counter()
        await audit_self(note)
        assert time.perf_counter() - began < 0.2

    async def test_nobody_elses_temporary_folder_is_looked_into(self, temporary: Path) -> None:
        assert [one.name for one in collectors()] == [
            "processes",
            "ports",
            "container engine",
            "folders",
            "files",
        ]
        assert await Folders().look(Runs([])) == []
