"""The images in a real engine: what they are, and that `kit images check` finds what is stale, foreign or replaced.

They are built by `nox -s docker` before; these tests build none.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from webordinary_testkit.kit.backends.emulated.programs import image_recipes
from webordinary_testkit.kit.images import cache
from webordinary_testkit.kit.images.build import BASE_SIZE
from webordinary_testkit.kit.images.check import ImageCheck, check
from webordinary_testkit.kit.images.engine import Engine, engine
from webordinary_testkit.kit.images.recipes import Recipe, read

IMAGES = read(image_recipes()).images
LABEL = "com.webordinary.kit.tests"


@pytest.fixture(scope="module")
def real() -> Iterator[Engine]:
    with engine() as used:
        yield used


@pytest.fixture
def tag(real: Engine) -> Iterator[str]:
    """A name of this test's own for the image of Hermes."""
    name = f"kit-test-{os.getpid()}/hermes:test"
    real.client.images.get(IMAGES["hermes"].tag).tag(*name.split(":"))
    yield name
    real.client.images.remove(name, force=True)


@pytest.fixture
def recipe(tag: str) -> Recipe:
    return replace(IMAGES["hermes"], tag=tag)


@pytest.mark.parametrize("name", ["hermes", "edit"])
def test_what_was_built_is_as_it_should_be(real: Engine, name: str) -> None:
    (found,) = check(real, [IMAGES[name]])
    assert found == ImageCheck(IMAGES[name].tag, found.digest, real.architecture)


@pytest.mark.parametrize("name", ["hermes", "edit"])
def test_an_image_is_not_root_and_looks_after_its_health(real: Engine, name: str) -> None:
    config = real.client.images.get(IMAGES[name].tag).attrs["Config"]
    assert config["User"] == "1000:1000"
    assert "health.py" in config["Healthcheck"]["Test"][-1]
    assert not [word for word in config["Env"] if "SECRET" in word or "TOKEN" in word or "KEY" in word]


def test_hermes_is_small_above_its_base(real: Engine) -> None:
    image = real.client.images.get(IMAGES["hermes"].tag)
    assert image.attrs["Size"] - int(image.labels[BASE_SIZE]) <= 80e6


def test_edit_has_node_and_astro(real: Engine) -> None:
    said = _run(real, IMAGES["edit"].tag, ["sh", "-c", "node --version && test -d $SITE_NODE_MODULES/astro && id -u"])
    assert said.split()[0].startswith("v")
    assert said.split()[1] == "1000"


def test_what_lacks_its_settings_says_so(real: Engine) -> None:
    container = real.client.containers.create(IMAGES["hermes"].tag, labels={LABEL: "1"}, network_mode="none")
    try:
        container.start()
        assert container.wait()["StatusCode"] == 2
        assert b"QUEUE_URL is not set" in container.logs()
    finally:
        container.remove(force=True)


def test_an_image_that_is_not_there(real: Engine) -> None:
    (found,) = check(real, [replace(IMAGES["hermes"], tag="kit-test/nowhere:test")])
    assert found.wrong == "it is not in the engine"
    assert found.next == "kit images build"


def test_an_image_that_was_built_from_other_sources(real: Engine, recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    (found,) = check(real, [replace(recipe, root=tmp_path, sources=["main.py"])])
    assert found.wrong.startswith("it is stale")


def test_the_changed_file_is_named(real: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = cache.built()[real.id][IMAGES["hermes"].tag]
    before = {**facts["manifest"], "emulation/gone.py": "0"}
    monkeypatch.setattr(cache, "built", lambda: {real.id: {recipe.tag: {**facts, "manifest": before}}})
    (found,) = check(real, [replace(recipe, sources=["awsclock", "emulation/system/hermes"])])
    assert "emulation/__init__.py, emulation/gone.py" in found.wrong


def test_another_image_under_the_name_is_told_from_the_one_that_was_built(
    real: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = cache.built()[real.id][IMAGES["hermes"].tag]
    monkeypatch.setattr(cache, "built", lambda: {real.id: {recipe.tag: {**facts, "id": "sha256:" + "0" * 64}}})
    (found,) = check(real, [recipe])
    assert "something else was tagged so" in found.wrong


@pytest.fixture
def derived(real: Engine, recipe: Recipe) -> str:
    """The name of the image is given to one made from it, which inherits its labels; the id of that."""
    source = io.BytesIO(f"FROM {IMAGES['hermes'].tag}\nENV CHANGED=yes\n".encode())
    image, _ = real.client.images.build(fileobj=source, tag=recipe.tag, rm=True)
    return str(image.id)


def test_an_image_made_from_the_one_that_was_built_does_not_pass_for_it(
    real: Engine, recipe: Recipe, derived: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = cache.built()[real.id][IMAGES["hermes"].tag]
    monkeypatch.setattr(cache, "built", lambda: {real.id: {recipe.tag: facts}})
    (found,) = check(real, [recipe])
    assert found.digest == derived != facts["id"]
    assert "something else was tagged so" in found.wrong
    assert cache.replaced(real.id, recipe.tag, facts["sources"], derived)
    assert not cache.replaced(real.id, recipe.tag, facts["sources"], facts["id"])


@pytest.mark.parametrize("notes", [None, "{"], ids=["missing", "damaged"])
def test_without_the_notes_of_the_build_it_is_said_that_nothing_was_compared(
    real: Engine, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: str | None
) -> None:
    monkeypatch.setenv("KIT_CACHE", str(tmp_path))
    if notes is not None:
        cache.notes().write_text(notes)
    (found,) = check(real, [recipe])
    assert found.wrong == ""
    assert found.note.startswith("the notes of what was built are damaged" if notes else "no build of it by this user")
    assert str(tmp_path) in found.note


def test_a_container_that_ends_while_it_is_looked_at_is_no_failure(
    real: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = real.client.containers.run(
        IMAGES["edit"].tag, ["sleep", "60"], detach=True, labels={LABEL: "1"}, network_mode="none", init=True
    )
    listed = real.client.api.containers()
    container.remove(force=True)
    monkeypatch.setattr(real.client.api, "containers", lambda: [each for each in listed if each["Id"] == container.id])
    (found,) = check(real, [], [recipe.tag])
    assert found.wrong == ""


def test_an_image_for_another_machine(real: Engine, recipe: Recipe) -> None:
    (found,) = check(replace(real, architecture="riscv64"), [recipe])
    assert "the engine's machine is riscv64" in found.wrong


def test_an_image_that_is_not_ours_need_only_be_there_and_fit(real: Engine, tag: str) -> None:
    there, missing = check(real, [], [tag, "kit-test/nowhere:1"])
    assert there.wrong == ""
    assert missing.next == "docker pull kit-test/nowhere:1, or build it"


def test_a_container_that_runs_what_was_replaced(real: Engine, recipe: Recipe) -> None:
    container = real.client.containers.run(
        recipe.tag, ["sleep", "60"], detach=True, labels={LABEL: "1"}, network_mode="none", init=True
    )
    try:
        real.client.images.get(IMAGES["edit"].tag).tag(*recipe.tag.split(":"))
        found = check(real, [], [recipe.tag])
        assert [f"container {container.name} runs" in each.wrong for each in found] == [True]
    finally:
        container.remove(force=True)


def test_a_program_stops_when_it_is_told_to(real: Engine) -> None:
    environment = {"WORKSPACE_PATH": "/workspace", "SESSIONS_TABLE": "x", "AWS_REGION": "us-west-2"}
    container = real.client.containers.run(
        IMAGES["edit"].tag, detach=True, environment=environment, labels={LABEL: "1"}, network_mode="none"
    )
    try:
        deadline = time.monotonic() + 30
        while b"serving" not in container.logs() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert container.exec_run(["python3", "-IS", "/opt/app/health.py"]).exit_code == 0
        container.stop(timeout=20)
        assert container.wait()["StatusCode"] == 0
    finally:
        container.remove(force=True)


def _run(real: Engine, image: str, argv: list[str]) -> str:
    said: bytes = real.client.containers.run(image, argv, remove=True, labels={LABEL: "1"}, network_mode="none")
    return said.decode()
