"""What the setting `emulated.preview` comes to on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from webordinary_testkit.kit.aws.deploy import template_text
from webordinary_testkit.kit.backends.emulated import preview
from webordinary_testkit.kit.core.errors import InfraError, UsageError


@pytest.fixture
def no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("wanted", [None, "builtin"])
def test_processes_show_the_builtin_preview_unless_told(wanted: preview.Wanted | None) -> None:
    shown = preview.find_renderer(wanted)
    assert shown == preview.Renderer("builtin")
    assert shown.program(["python", "-m", "x"]) == ["python", "-m", "x"]


@pytest.mark.usefixtures("no_node")
def test_astro_without_node_is_refused() -> None:
    with pytest.raises(UsageError, match="real Astro cannot run here: node is not on PATH"):
        preview.find_renderer("astro")


@pytest.mark.usefixtures("no_node")
def test_auto_without_node_is_the_builtin_one_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert preview.find_renderer("auto").preview == "builtin"
    assert "node is not on PATH" in capsys.readouterr().err


def test_where_astro_is_the_program_is_told_where_its_modules_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "astro").mkdir()
    (tmp_path / "astro/package.json").write_text('{"version": "5.18.2"}')
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v20.3.0\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SITE_NODE_MODULES", str(tmp_path))
    shown = preview.find_renderer("astro")
    assert shown == preview.Renderer("astro", str(tmp_path))
    assert shown.program(["x"]) == ["env", f"SITE_NODE_MODULES={tmp_path}", "x"]


def test_a_search_that_fails_is_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert subprocess.call(["/bin/false"]) == 1
    with pytest.raises(InfraError, match="status 1"):
        preview.find_renderer("auto")


def test_the_stack_is_told_when_its_template_knows_the_parameter() -> None:
    assert preview.parameter("builtin", template_text(None)) == {"Preview": "builtin"}
    assert preview.parameter("builtin", "Resources: {}") == {}
    assert preview.parameter(None, template_text(None)) == {}
