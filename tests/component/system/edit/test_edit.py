"""The edit container by HTTP, over real git: works, pages, sessions, several containers on one workspace."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.system import Edit, edit_container, listening, until, url_of
from webordinary_testkit.emulation.system.agent import Plan
from webordinary_testkit.emulation.system.edit import work as works
from webordinary_testkit.emulation.system.edit.repository import Repository

HOSTILE = "\"'`$(touch pwned)`; rm -rf / #{x}</script>"


def git_log(edit: Edit, *more: str) -> list[str]:
    command = ["git", "log", "--format=%s", *more]
    done = subprocess.run(command, cwd=edit.project(), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def files_of(edit: Edit) -> list[str]:
    return [path.relative_to(edit.project()).as_posix() for path in edit.project().rglob("*") if path.is_file()]


async def test_a_work_becomes_a_file_a_commit_and_a_page(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        status, done = await edit.work("w1", 'Add a new page called "Test Page"')
        assert (status, done["changed"]) == (200, ["src/pages/test-page.astro"])
        assert done["containerIp"] == "127.0.0.1"
        assert "src/pages/test-page.astro" in files_of(edit)
        assert git_log(edit) == ['Add page "Test Page"', "Sample site"]
        assert "<h1>Test Page</h1>" in (await edit.get("/session/s1/test-page"))[1]


async def test_the_git_history_tells_what_the_seed_expects(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "Create a components/Header.astro file")
        await edit.work("w2", "Update Header.astro with new content")
        assert "Create Header component" in git_log(edit)
        assert "new content" in (edit.project() / "src/components/Header.astro").read_text()


async def test_the_same_work_is_done_once(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        answers = [await edit.work("w1", "Create page A") for _ in range(2)]
        assert answers[0] == answers[1]
        assert len(git_log(edit)) == 2


async def test_the_same_work_asked_for_twice_at_once_is_done_once(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        answers = await asyncio.gather(*(edit.work("w1", "slow 6\ncreate page A") for _ in range(3)))
        assert len({answer["commit"] for _, answer in answers}) == 1
        assert len(git_log(edit)) == 2


async def test_the_same_work_asked_of_two_containers_at_once_is_done_once(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as one, edit_container(tmp_path) as other:
        answers = await asyncio.gather(*(edit.work("w1", "create page A") for edit in (one, other, one, other)))
        assert len({answer["commit"] for _, answer in answers}) == 1
        assert len(git_log(one)) == 2


async def test_a_work_goes_on_when_its_caller_goes_away(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        asking = asyncio.create_task(edit.work("w1", "slow 6\ncreate page A"))
        await until(lambda: edit.container.worker._under_way)
        asking.cancel()
        await until((edit.project() / "src/pages/page-a.astro").exists)
        status, _ = await edit.work("w1", "slow 6\ncreate page A")
        assert status == 200
        assert len(git_log(edit)) == 2


async def test_a_work_that_changes_nothing_is_recorded_all_the_same(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        _, first = await edit.work("w1", "slow 0")
        assert (first["changed"], first["summary"]) == ([], "Take 0 seconds")
        assert (await edit.work("w1", "slow 0"))[1]["commit"] == first["commit"]


@pytest.mark.parametrize(
    ("instruction", "reason"), [("bake bread", "I do not understand line 1"), ("create page A\nfail: no", "no")]
)
async def test_what_the_agent_cannot_do_is_a_422_and_changes_nothing(
    tmp_path: Path, instruction: str, reason: str
) -> None:
    async with edit_container(tmp_path) as edit:
        status, answer = await edit.work("w1", instruction)
        assert status == 422
        assert reason in answer["message"]
        assert git_log(edit) == ["Sample site"]
        assert (await edit.get("/session/s1/health"))[0] == 200


GOOD = {"clientId": "acme", "userId": "ann@x.y", "threadId": "t", "workId": "w", "instruction": "create page A"}
BAD: list[dict[str, object]] = [
    {"clientId": "../x"},
    {"userId": "../../etc/x@y.z"},
    {"threadId": "a/b"},
    {"workId": ""},
    {"workId": None},
    {"instruction": "  "},
    {"instruction": 7},
    {"instruction": "x" * 300_000},
]


async def test_bad_works_are_refused_before_anything_is_touched(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        for changes in BAD:
            status, answer = await edit.post("/api/sessions/s1/work", {**GOOD, **changes})
            assert status == 400, changes
            assert next(iter(changes)) in answer["message"]
        assert (await edit.post("/api/sessions/..%2fs1/work", GOOD))[0] == 400
        assert (await edit.post("/api/sessions/s1/work", [1]))[0] == 400
        assert not (tmp_path / "acme").exists()


async def test_hostile_words_end_up_in_page_and_commit_and_nowhere_else(tmp_path: Path) -> None:
    async with edit_container(tmp_path / "workspace") as edit:
        status, done = await edit.work("w1", f"add a page called Hostile with the text {HOSTILE}\nslow 0")
        assert status == 200, done
        message = "\n".join(git_log(edit, "-1", "--format=%B"))
        assert HOSTILE in message
        page = (await edit.get("/session/s1/hostile"))[1]
        assert "&lt;/script&gt;" in page
        assert page.count("<script") == 1
        assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("pwned")))


async def test_a_hundred_kilobytes_pass(tmp_path: Path) -> None:
    words = "flour and water " * 6400
    async with edit_container(tmp_path) as edit:
        status, _ = await edit.work("w1", f"add a page called Long with the text {words}")
        assert status == 200
        assert words.strip() in (await edit.get("/session/s1/long"))[1]


async def test_threads_of_a_user_are_apart_and_users_too(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        sessions = {"s1": ("ann@x.y", "t1"), "s2": ("ann@x.y", "t2"), "s3": ("bob@x.y", "t3")}
        await asyncio.gather(
            *(
                edit.work(f"w-{session}", f"add a page called Of {session}", session=session, user=user, thread=thread)
                for session, (user, thread) in sessions.items()
            )
        )
        for looked_at in sessions:
            for made in sessions:
                status, _ = await edit.get(f"/session/{looked_at}/of-{made}")
                assert status == (200 if made == looked_at else 404), (looked_at, made)


async def test_another_container_serves_the_session_without_aws(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as one:
        await one.work("w1", "create page A")
    async with edit_container(tmp_path) as other:
        assert (await other.get("/session/s1/page-a"))[0] == 200
        assert (await other.get("/session/s1/health"))[0] == 200


async def test_health_is_only_said_of_a_page_that_is_served(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        assert (await edit.get("/session/s1/health"))[0] == 404
        await edit.work("w1", "create page A")
        assert (await edit.get("/session/s1/health"))[0] == 200
        shutil.rmtree(edit.project())
        assert (await edit.get("/session/s1/health"))[0] == 503
        assert (await edit.get("/session/s1"))[0] == 503
        await edit.work("w2", "create page B")
        assert (await edit.get("/session/s1/health"))[0] == 200
        assert (await edit.get("/session/s1/page-a"))[0] == 200


async def test_a_page_that_cannot_be_shown_is_not_healthy(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        repository = edit.container.projects.repository("test-client", "test@example.com")
        repository.commit({"src/pages/index.astro": b"{1 +}"}, "broken")
        assert (await edit.get("/session/s1"))[0] == 500
        assert (await edit.get("/session/s1/health"))[0] == 503


async def test_health_says_when_the_workspace_is_gone(tmp_path: Path) -> None:
    async with edit_container(tmp_path / "workspace") as edit:
        assert (await edit.get("/api/health"))[0] == 200
        shutil.rmtree(tmp_path / "workspace")
        status, answer = await edit.get("/api/health")
        assert status == 503
        assert "workspace" in json.loads(answer)["reason"]


async def test_a_repository_that_cannot_be_cloned_is_a_503_to_try_again(tmp_path: Path) -> None:
    async with edit_container(tmp_path, repository_url=str(tmp_path / "nowhere.git")) as edit:
        status, answer = await edit.work("w1", "create page A")
        assert status == 503
        assert "git clone failed" in answer["message"]


async def test_a_remote_that_takes_no_pushes_does_not_fail_a_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repository, "_pushed", lambda self, branch: "refs/heads/../x")
    async with edit_container(tmp_path) as edit:
        assert (await edit.work("w1", "create page A"))[0] == 200


async def test_what_is_known_of_a_session_can_be_asked(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        _, done = await edit.work("w1", "create page A")
        status, text = await edit.get("/api/sessions/s1")
        known = json.loads(text)
        assert status == 200
        assert (known["branch"], known["commit"]) == ("thread-t1", done["commit"])
        assert "src/pages/page-a.astro" in known["pages"]


PATHS = {
    "/session/s1": 200,
    "/session/s1/": 200,
    "/session/s1/about": 200,
    "/session/s1/styles.css": 200,
    "/session/s1/nowhere": 404,
    "/session/s1/..%2f..%2fetc/passwd": 404,
    "/session/s1/%2e%2e/%2e%2e/package.json": 404,
    "/session/s2": 404,
    "/session/..": 404,
    "/session/%2e%2e%2fx": 400,
    "/preview/s1/about": 200,
    "/preview/s1": 200,
    "/preview/s2": 404,
    "/_astro/hot-reload.js": 200,
    "/_astro/other.js": 404,
    "/api/nowhere": 404,
}


async def test_paths_lead_to_pages_of_the_session_and_nowhere_else(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        assert {path: (await edit.get(path))[0] for path in PATHS} == PATHS


async def test_pages_carry_the_script_that_reloads_them(tmp_path: Path) -> None:
    async with edit_container(tmp_path) as edit:
        await edit.work("w1", "create page A")
        _, page = await edit.get("/session/s1")
        assert 'src="/_astro/hot-reload.js?session=s1"' in page
        assert 'href="/session/s1/about"' in page


async def test_works_of_one_user_wait_for_each_other_and_others_do_not(tmp_path: Path) -> None:
    order: list[str] = []

    async def work(edit: Edit, name: str, instruction: str, user: str) -> None:
        await edit.work(name, instruction, user=user, session=name, thread=name)
        order.append(name)

    async with edit_container(tmp_path) as edit:
        await asyncio.gather(
            work(edit, "slow", "slow 60\ncreate page A", "ann@x.y"),
            work(edit, "same", "create page B", "ann@x.y"),
            work(edit, "other", "create page C", "bob@x.y"),
        )
    assert order[0] == "other"


async def test_a_container_that_stops_finishes_what_it_has_begun(tmp_path: Path) -> None:
    async with edit_container(tmp_path, scale=4) as edit:
        asking = asyncio.create_task(edit.work("w1", "slow 1\ncreate page A"))
        await until(lambda: edit.container.worker._under_way)
        await edit.container.stop()
        assert "src/pages/page-a.astro" in files_of(edit)
        await asking


async def test_a_container_that_has_ended_asks_aws_for_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as silent:  # an AWS that takes every call and answers none
        monkeypatch.setenv("AWS_ENDPOINT_URL", url_of(silent))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        async with edit_container(tmp_path) as edit:
            await edit.work("w1", "create page A")
            assert (await edit.get("/session/s1/page-a"))[0] == 200
            updates = set(edit.container.activity._updates)
    assert updates
    assert all(update.cancelled() for update in updates)


def test_the_message_of_a_commit_is_summary_instruction_and_trailers() -> None:
    order = works.Order("s", "c", "u@x", "t", "w", "create page A\r\n\x00")
    plan = Plan(summaries=["Add page"])
    assert works._message(order, plan) == "Add page\n\ncreate page A\n\nSession-Id: s\nThread-Id: t\nWork-Id: w\n"
    assert works._message(replace(order, instruction="x"), plan).splitlines()[2] == "x"
