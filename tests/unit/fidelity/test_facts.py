"""How facts are read, compared and counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fidelity import facts, table
from tests.fidelity.perform import filled


def test_the_readme_has_a_row_for_each_service_with_its_number_of_facts() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", table.written(), re.MULTILINE)
    counts = [(service, str(len(facts.load(service)))) for service in facts.services()]
    assert sorted(rows) == counts, "run `nox -s fidelity -- --write`"


def test_each_fact_is_written_once() -> None:
    ids = [fact.id for service in facts.services() for fact in facts.load(service)]
    assert sorted({each for each in ids if ids.count(each) > 1}) == []


def test_names_are_filled_in_and_one_alone_keeps_its_type() -> None:
    names = {"url": "u", "rows": [1]}
    assert filled({"$url": ["a-$url", "$rows", "$other"]}, names) == {"u": ["a-u", [1], "$other"]}


def test_a_fact_says_what_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.yaml").write_text("facts: [{fact: f, source: docs, calls: [{Do: {}}], expects: {}}]")
    monkeypatch.setattr(facts, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"x: f: unknown keys \['expects'\]"):
        facts.load("x")


def test_the_table_counts() -> None:
    page = table.markdown({"sqs": 2}, {"sqs": {"emulated": 2, "moto_server": 1}})
    assert page.splitlines()[2:] == ["| sqs | 2 | 2 | 1 |", "| **all** | 2 | 2 | 1 |"]
