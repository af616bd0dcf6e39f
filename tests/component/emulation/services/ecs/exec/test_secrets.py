"""A session's token and stream URL are for the one who opens it: nowhere else are they written."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from tests.support.ecs import UNTIL_STOPPED, EcsWorld, ecs_world
from tests.support.kit import a_context, some_settings
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.ecs_exec import EcsExec, ExecError
from webordinary_testkit.kit.ecs_exec.channel import ChannelError, open_channel
from webordinary_testkit.kit.ecs_exec.plugin import main as plugin
from webordinary_testkit.kit.harness import evidence
from webordinary_testkit.kit.harness.files import Files
from webordinary_testkit.kit.harness.services import Services

KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd"
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret-access-key")


@dataclass
class Sessions:
    """What ExecuteCommand has given out, as botocore hands it on."""

    change: Callable[[dict[str, str]], None]
    given: list[dict[str, str]] = field(default_factory=list, repr=False)  # botocore logs whose handler it calls

    def watch(self, client: Any) -> None:
        client.meta.events.register("after-call.ecs.ExecuteCommand", self._note)

    def _note(self, parsed: dict[str, Any], **_: Any) -> None:
        if "session" in parsed:
            self.change(parsed["session"])
            self.given.append(dict(parsed["session"]))

    def secrets(self) -> set[str]:
        urls = [session["streamUrl"] for session in self.given]
        return {*(s["tokenValue"] for s in self.given), *urls, *(url.partition("?")[0] for url in urls)}


def nowhere(session: dict[str, str]) -> None:
    session["streamUrl"] = "ws://127.0.0.1:1/v1/data-channel/abc?role=publish_subscribe"


def no_url(session: dict[str, str]) -> None:
    session["streamUrl"] = session["streamUrl"].replace("ws://", "http://")


def another_token(session: dict[str, str]) -> None:
    session["tokenValue"] = "0" * 64


def nothing(session: dict[str, str]) -> None:
    return None


@dataclass(frozen=True)
class Case:
    change: Callable[[dict[str, str]], None] = nothing
    """What becomes of the session on its way to the client."""
    command: str = "echo fine"
    raises: str = ""
    within: float = 15.0
    encrypted: bool = False


CASES = {
    "success": Case(),
    "broken": Case(command="echo half; kill -9 $$", raises="session ended"),
    "too slow": Case(command="cat", raises="no end of the command", within=1.0),
    "refused": Case(another_token, raises="does not contain token"),
    "unreachable": Case(nowhere, raises="could not open the data channel of session ecs-execute-command-"),
    "not a URL": Case(no_url, raises="could not open the data channel of session ecs-execute-command-"),
    "encrypted": Case(raises="KMS key", encrypted=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_they_are_in_no_log_history_call_record_exception_or_evidence(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    case: Case,
) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.harness.files._EXEC_AT_LEAST", case.within)
    sessions = Sessions(case.change)
    history = History(Clock(), tmp_path / "history.jsonl")
    said = ""
    with caplog.at_level(logging.DEBUG):
        async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
            task = await entered(w, encrypted=case.encrypted)
            sessions.watch(w.client("ecs"))
            context = a_context()
            context.history, context.settings = history, some_settings(timeouts={"exec": case.within})
            services = Services(context)
            files = Files(context, services)
            files._exec = EcsExec(w.client("ecs"), "test", credentials=CREDENTIALS)
            try:
                await files.run_in(task, "app", case.command)
                assert not case.raises
            except ExecError as error:
                assert case.raises
                assert case.raises in str(error)
                said = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
            calls = [asdict(call) for call in w.world.cloud.recorder.since()]
            kept = await evidence.collect(context, services, tmp_path, "it", 0.0)
            said += repr(w.controller._exec._pending)
    assert sessions.secrets()
    out, err = capfd.readouterr()
    written = {
        "log": caplog.text + "".join(map(repr, caplog.records)),
        "history": (tmp_path / "history.jsonl").read_text(),
        "calls": repr(calls),
        "exception": said,
        "evidence": "".join(map(read, kept)),
        "output": out + err,
    }
    assert "ExecuteCommand" in written["calls"]
    assert "Response body" in written["log"], "botocore was to log the answers, or this shows nothing"
    frames = [record.name for record in caplog.records if record.name.startswith(("websockets", "kit.ecs_exec"))]
    assert frames == [], "the WebSocket's log has the signature, and the beginning and end of every frame"
    assert [(where, secret) for secret in sessions.secrets() for where, text in written.items() if secret in text] == []


def read(file: str) -> str:
    return Path(file).read_text()


async def entered(w: EcsWorld, *, encrypted: bool) -> str:
    """A running task that ECS Exec may enter."""
    if encrypted:
        demands = {"executeCommandConfiguration": {"kmsKeyId": KEY}}
        await w.call("update_cluster", cluster="test", configuration=demands)
    await w.register("app", image="app:1")
    return str((await w.running((await w.run("app", enableExecuteCommand=True))["taskArn"]))["taskArn"])


@pytest.mark.parametrize("change", [nowhere, no_url])
async def test_an_exceptions_causes_do_not_name_them(change: Callable[[dict[str, str]], None]) -> None:
    session = {"sessionId": "abc", "tokenValue": "5ecre7" * 8, "streamUrl": "ws://127.0.0.1:1/v1/data-channel/abc?x=y"}
    change(session)
    with pytest.raises(ChannelError) as raised:
        async with open_channel(session):
            pass
    said = "".join(traceback.format_exception(raised.value))
    assert "could not open the data channel of session abc at 127.0.0.1:1" in said
    assert session["tokenValue"] not in said
    assert session["streamUrl"].partition("?")[0] not in said


@pytest.mark.parametrize("broken", ["nowhere", "cut JSON", "no URL"])
def test_the_plugin_does_not_say_them(capfd: pytest.CaptureFixture[str], broken: str) -> None:
    token, url = "5ecre7" * 8, "ws://127.0.0.1:1/v1/data-channel/abc?role=publish_subscribe"
    session = {"sessionId": "abc", "tokenValue": token, **({} if broken == "no URL" else {"streamUrl": url})}
    given = json.dumps(session)

    code = plugin([given[:-1] if broken == "cut JSON" else given, "us-west-2", "StartSession", "", "{}"])

    said = "".join(capfd.readouterr())
    assert code == (1 if broken == "nowhere" else 2)
    assert ("abc at 127.0.0.1:1" if broken == "nowhere" else "expected the session as JSON") in said
    assert token not in said
    assert url.partition("?")[0] not in said
