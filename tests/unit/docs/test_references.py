"""Paths, links, commands, options and settings in the documents exist, and so do modules and paths in docstrings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.support import REPOSITORY
from tests.unit.test_architecture import docstrings, modules
from webordinary_testkit.kit.cli import _parser
from webordinary_testkit.kit.settings import Settings

DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "docs/decisions", "benchmarks", "emulation/system")
    for path in (REPOSITORY / folder).glob("*.md")
)
TOP = ("kit", "emulation", "datachannel", "awsclock", "docs", "tests", "benchmarks", ".github", ".ci")
PYTEST_OPTIONS = set(re.findall(r'"(--kit-[a-z-]+)"', (REPOSITORY / "kit/pytest_plugin.py").read_text()))
SESSIONS = set(re.findall(r"^@nox\.session.*\ndef (\w+)", (REPOSITORY / "noxfile.py").read_text(), re.M))

of_every_document = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(REPOSITORY)))


def code(page: Path) -> Iterator[str]:
    """Every inline code and every line of a code block without a language, which is a shell's."""
    text = page.read_text()
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.M):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.M))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> dict[str, argparse.ArgumentParser]:
    """Command → its parser; `images build` for a command with actions."""
    found: dict[str, argparse.ArgumentParser] = {}

    def collect(parser: argparse.ArgumentParser, name: str) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word, below in action.choices.items():
                    found[f"{name} {word}".strip()] = below
                    collect(below, f"{name} {word}".strip())

    collect(_parser(), "")
    return found


COMMANDS = commands()


@of_every_document
def test_links_lead_somewhere(page: Path) -> None:
    def broken() -> Iterator[str]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            file, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.parent / file).resolve() if file else page
            if not path.exists() or (anchor and anchor not in anchors(path)):
                yield target

    assert list(broken()) == []


@of_every_document
def test_paths_exist(page: Path) -> None:
    named = {word for text in code(page) for word in re.findall(r"(?<![\w./~<-])[\w.-]+(?:/[\w.-]+)+/?", text)}
    paths = {path for path in named if path.partition("/")[0] in TOP and not path.startswith(".kit")}
    assert {path for path in paths if not (REPOSITORY / path).exists()} == set()


@of_every_document
def test_commands_and_their_options_exist(page: Path) -> None:
    def unknown() -> Iterator[str]:
        for text in code(page):
            for words in re.findall(r"(?:^|[;&(] ?|exec cloud )kit ([a-z][^;&|#]*)", text):
                name = " ".join(words.split()[:2]) if " ".join(words.split()[:2]) in COMMANDS else words.split()[0]
                parser = COMMANDS.get(name)
                options = set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", words))
                if parser is None or not options <= parser._option_string_actions.keys():
                    yield f"kit {words}"
            yield from (f"nox -s {name}" for name in re.findall(r"nox -s (\w+)", text) if name not in SESSIONS)
            yield from (option for option in re.findall(r"--kit-[a-z-]+", text) if option not in PYTEST_OPTIONS)

    assert list(unknown()) == []


@of_every_document
def test_settings_exist(page: Path) -> None:
    sections = "|".join(name for name, field in Settings.model_fields.items() if _model(field.annotation))
    named = {
        key for text in code(page) for key in re.findall(rf"(?:^|--set )((?:{sections})\.[a-z_.]+)(?=$|[ =])", text)
    }
    assert {key for key in named if not _is_setting(key)} == set()


def test_docstrings_name_what_exists() -> None:
    def unknown() -> Iterator[str]:
        for text in docstrings():
            for name in re.findall(r"`(?:webordinary_testkit\.)?((?:kit|emulation|datachannel)\.\w+(?:\.\w+)*)`", text):
                if not {name, name.rpartition(".")[0]} & (modules().keys() - {"kit", "datachannel"}):
                    yield name
            for path in re.findall(r"(?<![\w./~-])(?:kit|emulation|docs|tests)/[\w./-]*\w", text):
                if not (REPOSITORY / path).exists():
                    yield path

    assert set(unknown()) <= {"kit.toml", "datachannel.go"}


def _is_setting(key: str) -> bool:
    model: type[BaseModel] | None = Settings
    for part in key.split("."):
        if model is None:
            return True  # below a table with free keys
        if part not in model.model_fields:
            return False
        model = _model(model.model_fields[part].annotation)
    return True


def _model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
