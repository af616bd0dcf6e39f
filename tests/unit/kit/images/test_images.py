"""Images without an engine: what they are made of, what is kept, and what is said when there is no engine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import socket
import tarfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from webordinary_testkit.emulation.container_engine.engine import Engine as RuntimesEngine
from webordinary_testkit.emulation.container_engine.engine import EngineUnusable
from webordinary_testkit.kit.backends.emulated.programs import image_recipes
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.images import cache
from webordinary_testkit.kit.images.address import Address, address
from webordinary_testkit.kit.images.engine import engine, engine_error
from webordinary_testkit.kit.images.recipes import Recipe, digest, read
from webordinary_testkit.kit.images.site import plain
from webordinary_testkit.kit.images.wheels import Platform

RECIPES = read(image_recipes())
LOCKS = RECIPES.folder / "requirements"


@pytest.fixture
def sources(tmp_path: Path) -> Recipe:
    (tmp_path / "app" / "__pycache__").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("print()")
    (tmp_path / "app" / "__pycache__" / "main.pyc").write_text("x")
    return Recipe(name="app", tag="app:test", root=tmp_path, sources=["app"])


def test_an_image_is_made_of_its_sources_and_of_nothing_a_machine_makes(sources: Recipe) -> None:
    assert list(sources.files()) == ["app/main.py"]


def test_a_changed_file_is_another_digest(sources: Recipe) -> None:
    before = digest(sources.manifest(), "base")
    assert before == digest(sources.manifest(), "base")
    (sources.root / "app" / "main.py").write_text("print(1)")
    assert digest(sources.manifest(), "base") != before


def test_another_base_is_another_digest(sources: Recipe) -> None:
    assert digest(sources.manifest(), "one") != digest(sources.manifest(), "two")


def test_what_the_dockerfile_copies_is_among_each_images_sources() -> None:
    for recipe in RECIPES.images.values():
        assert RECIPES.dockerfile(recipe) in recipe.files()
    for recipe in RECIPES.chosen([]):
        assert "emulation/system/hermes/__main__.py" in recipe.files()
        assert (recipe.root / recipe.site).is_dir()


def test_an_unknown_image_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no image 'herms'") as caught:
        RECIPES.chosen(["herms"])
    assert "hermes, edit, cloud" in str(caught.value)


@pytest.mark.parametrize("lock", sorted(path.stem for path in LOCKS.glob("*.txt")))
def test_a_lock_pins_every_package_with_hashes_and_names_no_index(lock: str) -> None:
    text = (LOCKS / f"{lock}.txt").read_text()
    assert "://" not in text
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9._-]+==", package)
        assert "--hash=sha256:" in package


def test_the_clouds_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set((LOCKS / "cloud.in").read_text().split()) <= set(project)


def test_the_sites_lock_names_no_registry_and_has_all_platforms() -> None:
    text = (RECIPES.base.root / RECIPES.images["edit"].site / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert {"linux-x64-gnu", "linux-arm64-gnu", "darwin-arm64"} <= set(
        re.findall(r'"node_modules/@rollup/rollup-([^"]+)', text)
    )


def test_platform_tags_are_those_that_a_base_can_run() -> None:
    tags = list(Platform((3, 11), "x86_64", (2, 17)).tags())
    assert tags[:2] == ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert not [tag for tag in tags if "_2_28_" in tag]


def test_an_archives_members_tell_nothing_of_the_machine() -> None:
    member = tarfile.TarInfo("x")
    member.mtime, member.uid, member.uname, member.mode = 17, 1000, "me", 0o600
    told = plain(member)
    assert (told.mtime, told.uid, told.uname, told.mode) == (0, 0, "", 0o644)


class TestCache:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KIT_CACHE", str(tmp_path))

    def test_what_is_there_is_not_made_again(self) -> None:
        made: list[Path] = []

        def make(path: Path) -> None:
            made.append(path)
            path.write_text("x")

        assert cache.kept("a/b", make) == cache.kept("a/b", make)
        assert len(made) == 1

    def test_what_failed_half_way_is_not_kept(self, tmp_path: Path) -> None:
        def fail(path: Path) -> None:
            path.write_text("half")
            raise OSError(28, "No space left on device")

        with pytest.raises(InfraError, match="No space left on device") as caught:
            cache.kept("a", fail)
        assert "MiB are free" in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_what_was_built_is_remembered_by_engine_and_tag(self) -> None:
        cache.remember("engine", "app:test", {"id": "sha256:1"})
        cache.remember("engine", "other:test", {"id": "sha256:2"})
        assert cache.built()["engine"] == {"app:test": {"id": "sha256:1"}, "other:test": {"id": "sha256:2"}}

    def test_damaged_notes_are_told_and_begun_anew(self, tmp_path: Path) -> None:
        assert cache.built() == {}
        cache.notes().write_text("[]")
        with pytest.raises(InfraError, match="damaged") as caught:
            cache.built()
        assert str(cache.notes()) in str(caught.value)
        cache.remember("engine", "app:test", {"id": "sha256:1"})
        assert cache.built() == {"engine": {"app:test": {"id": "sha256:1"}}}


class TestAddress:
    """Where the engine is: the same for every part, whoever asks."""

    @pytest.fixture
    def config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A DOCKER_CONFIG with a context in use."""
        folder = tmp_path / "config"
        told = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": "tcp://127.0.0.1:1"}}}
        meta = folder / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest() / "meta.json"
        meta.parent.mkdir(parents=True)
        meta.write_text(json.dumps(told))
        (folder / "config.json").write_text('{"currentContext": "far"}')
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DOCKER_CONFIG", str(folder))
        return folder

    def test_docker_host_goes_before_the_context(self, config: Path) -> None:
        at = address({**os.environ, "DOCKER_HOST": "unix:///x"})
        assert at == Address("unix:///x", {"DOCKER_HOST": "unix:///x"})

    def test_a_context_of_docker_config_is_found_by_the_kit_and_handed_to_the_cloud(self, config: Path) -> None:
        at = address(os.environ)
        assert (at.url, at.variables) == ("tcp://127.0.0.1:1", {"DOCKER_HOST": "tcp://127.0.0.1:1"})
        with pytest.raises(InfraError, match=r"no container engine answers at tcp://127\.0\.0\.1:1"), engine():
            pass
        with pytest.raises(EngineUnusable, match=r"no container engine answers at tcp://127\.0\.0\.1:1 "):
            asyncio.run(RuntimesEngine.open(at.environment(os.environ)))

    @pytest.mark.parametrize(("skip", "verify"), [(False, {"DOCKER_TLS_VERIFY": "1"}), (True, {})])
    def test_the_certificates_of_a_context_are_handed_on(
        self, config: Path, skip: bool, verify: Mapping[str, str]
    ) -> None:
        id = hashlib.sha256(b"far").hexdigest()
        meta = config / "contexts" / "meta" / id / "meta.json"
        told = json.loads(meta.read_text())
        told["Endpoints"]["docker"]["SkipTLSVerify"] = skip
        meta.write_text(json.dumps(told))
        certificates = config / "contexts" / "tls" / id / "docker"
        certificates.mkdir(parents=True)
        for name in ("ca.pem", "cert.pem", "key.pem"):
            (certificates / name).write_text("")
        expected = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CERT_PATH": str(certificates), **verify}
        assert address(os.environ).variables == expected

    def test_a_context_that_is_gone_is_named(self, config: Path) -> None:
        (config / "config.json").write_text('{"currentContext": "gone"}')
        with pytest.raises(UsageError, match="no Docker context"):
            address(os.environ)

    def test_the_default_context_is_no_context(self, config: Path) -> None:
        assert address({**os.environ, "DOCKER_CONTEXT": "default"}).url.startswith("unix://")

    def test_a_child_is_led_there_and_nowhere_else(self) -> None:
        at = Address("unix:///x", {"DOCKER_HOST": "unix:///x"})
        environ = {"DOCKER_CONTEXT": "far", "DOCKER_CERT_PATH": "/c", "DOCKER_CONFIG": "/d", "PATH": "/bin"}
        assert at.environment(environ) == {"DOCKER_HOST": "unix:///x", "DOCKER_CONFIG": "/d", "PATH": "/bin"}


class TestNoEngine:
    def test_nobody_listens(self, tmp_path: Path) -> None:
        with pytest.raises(InfraError, match="no container engine answers") as caught, engine(_host(tmp_path / "none")):
            pass
        assert "DOCKER_HOST" in str(caught.value)

    def test_what_listens_is_no_engine(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(tmp_path / "bound"))
            with pytest.raises(InfraError, match="no container engine answers"), engine(_host(tmp_path / "bound")):
                pass

    @pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
    def test_a_socket_that_is_not_for_everybody(self, tmp_path: Path) -> None:
        path = Path("/tmp") / f"kit-test-{os.getpid()}.sock"
        try:
            with socket.socket(socket.AF_UNIX) as private:
                private.bind(str(path))
                private.listen()
                path.chmod(0o600)
                os.seteuid(65534)
                try:
                    with pytest.raises(InfraError, match="no permission on the") as caught, engine(_host(path)):
                        pass
                finally:
                    os.seteuid(0)
        finally:
            path.unlink()
        assert "usermod -aG docker" in str(caught.value)

    def test_an_unknown_context_is_named(self) -> None:
        with (
            pytest.raises(UsageError, match="there is no Docker context 'nowhere'"),
            engine({"DOCKER_CONTEXT": "nowhere"}),
        ):
            pass


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", "its disk is full"),
        ("exec /bin/sh: exec format error", "of another CPU architecture"),
        ("something else", "something else"),
    ],
)
def test_what_an_engine_says_is_put_in_words(said: str, told: str) -> None:
    assert told in str(engine_error(said, "unix:///x"))


def _host(path: Path) -> dict[str, str]:
    return {"DOCKER_HOST": f"unix://{path}"}
