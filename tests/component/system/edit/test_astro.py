"""What the edit container does around Astro: links, files, and whether it can run. Starts no Node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from webordinary_testkit.emulation.system.edit import config
from webordinary_testkit.emulation.system.edit.astro import install, toolchain
from webordinary_testkit.emulation.system.edit.astro.checkout import Checkout
from webordinary_testkit.emulation.system.edit.astro.links import below
from webordinary_testkit.emulation.system.edit.astro.toolchain import Missing
from webordinary_testkit.emulation.system.settings import SettingsError

BASE = "/session/s1/"


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ('<a href="/about">', '<a href="/session/s1/about">'),
        ('<a href="/">', '<a href="/session/s1/">'),
        ("<img alt='a > b' src='/x.png'>", "<img alt='a > b' src='/session/s1/x.png'>"),
        ('<video src="/a" poster="/b">', '<video src="/session/s1/a" poster="/session/s1/b">'),
        (
            '<script type="module" src="/@vite/client"></script>',
            '<script type="module" src="/session/s1/@vite/client"></script>',
        ),
        ('<a href="/session/s1/about">', '<a href="/session/s1/about">'),
        ('<a href="/session/s1">', '<a href="/session/s1">'),
        ('<a href="//cdn.test/x">', '<a href="//cdn.test/x">'),
        ('<a href="about">', '<a href="about">'),
        ('<a data-href="/x">', '<a data-href="/x">'),
        ("<p>href=\"/x\" &lt;a href='/x'&gt;</p>", "<p>href=\"/x\" &lt;a href='/x'&gt;</p>"),
        ("<script>const a = '<a href=\"/x\">';</script>", "<script>const a = '<a href=\"/x\">';</script>"),
        ('<!-- <a href="/x"> -->', '<!-- <a href="/x"> -->'),
    ],
)
def test_links_from_the_root_are_put_below_the_base(markup: str, shown: str) -> None:
    assert below(BASE, markup) == shown
    assert below(BASE, shown) == shown


class Commit:
    """A snapshot of files in memory."""

    def __init__(self, commit: str, files: dict[str, bytes]) -> None:
        self.commit = commit
        self.files = files

    def blobs(self) -> dict[str, str]:
        return {path: content.hex() for path, content in self.files.items()}

    def contents(self, paths: Any) -> dict[str, bytes]:
        return {path: self.files[path] for path in paths}


def update(checkout: Checkout, commit: str, **files: bytes) -> list[tuple[str, str]]:
    named = {name.replace("__", "/"): content for name, content in files.items()}
    return checkout.update(Commit(commit, named))  # type: ignore[arg-type] # all that is used of a snapshot


def test_a_checkout_becomes_what_the_commit_is_and_tells_what_changed(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    assert update(checkout, "1", a=b"1", d__b=b"2") == [("add", "a"), ("add", "d/b")]
    assert update(checkout, "2", a=b"1", d__b=b"3", c=b"4") == [("change", "d/b"), ("add", "c")]
    assert update(checkout, "3", c=b"4") == [("unlink", "a"), ("unlink", "d/b")]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["c"]
    assert checkout.commit == "3"


def test_a_checkout_writes_neither_outside_nor_into_the_tools_folders(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "site")
    assert update(checkout, "1", **{"..__x": b"", "node_modules__x": b"", ".git__config": b"", "y": b""}) == [
        ("add", "y")
    ]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["y"]


def node(folder: Path, says: str) -> str:
    """A PATH with a program `node` that says its version."""
    folder.mkdir(exist_ok=True)
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {says}\n")
    program.chmod(0o755)
    return str(folder)


def modules(folder: Path) -> Path:
    (folder / "astro").mkdir(parents=True)
    (folder / "astro/package.json").write_text(json.dumps({"version": "5.18.2"}))
    return folder


def test_node_and_astro_are_found(tmp_path: Path) -> None:
    found = toolchain.find(node(tmp_path / "bin", "v22.1.0"), modules(tmp_path / "modules"))
    assert (found.astro, found.node) == ("5.18.2", str(tmp_path / "bin/node"))


@pytest.mark.parametrize("version", ["v18.20.4", "v20.2.9", "nonsense"])
def test_an_old_node_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(Missing, match=r"Astro needs 20\.3 or newer"):
        toolchain.find(node(tmp_path / "bin", version), modules(tmp_path / "modules"))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="node is not on PATH"):
        toolchain.find(str(tmp_path), tmp_path)
    with pytest.raises(Missing, match="set SITE_NODE_MODULES"):
        toolchain.find(node(tmp_path / "bin", "v20.3.0"), tmp_path)


def settings(path: str, where: Path, preview: str) -> config.Settings:
    git = Path("/usr/bin")
    return config.Settings.of(
        {
            "WORKSPACE_PATH": "/workspace",
            "SESSIONS_TABLE": "sessions",
            "PORT": "0",
            "PATH": f"{path}:{git}",
            "PREVIEW": preview,
            "SITE_NODE_MODULES": str(where),
        }
    )


def test_preview_auto_takes_astro_where_it_is(tmp_path: Path) -> None:
    path = node(tmp_path / "bin", "v20.3.0")
    there = settings(path, modules(tmp_path / "modules"), "auto")
    assert there.astro is not None
    absent = settings(path, tmp_path, "auto")
    assert absent.astro is None
    assert "there is no Astro in" in absent.why_builtin
    assert settings(path, tmp_path / "modules", "builtin").astro is None


@pytest.mark.parametrize(("preview", "said"), [("astro", "PREVIEW is astro, and there is no Astro"), ("x", "must be")])
def test_preview_astro_is_refused_where_it_is_not(tmp_path: Path, preview: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings(node(tmp_path / "bin", "v20.3.0"), tmp_path, preview)


def test_the_packages_are_kept_in_the_users_cache(tmp_path: Path) -> None:
    folder = install.cache_folder({"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)})
    assert folder.is_relative_to(tmp_path)


def test_the_lock_file_is_exact_and_names_no_registry() -> None:
    package = json.loads((install.SITE / "package.json").read_text())
    assert all(version[0].isdigit() for version in (package["dependencies"] | package["overrides"]).values())
    lock = json.loads((install.SITE / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in lock.items() if "resolved" in entry] == []
    assert [name for name, entry in lock.items() if name and "integrity" not in entry] == []
    assert lock[""]["dependencies"] == package["dependencies"]
