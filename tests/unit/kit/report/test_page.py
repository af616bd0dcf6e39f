"""The report page: what it shows, what stays text, and what is read from a run that is incomplete."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.report_files import write_run
from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.report.page import repeat, waterfall, write_page


class Page(HTMLParser):
    """The tags of a page, its handlers of events, and its addresses."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_what_a_run_recorded_stays_text(tmp_path: Path) -> None:
    page = Page(write_page(write_run(tmp_path / "r2")))
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    assert page.handlers == []


def test_a_page_loads_nothing(tmp_path: Path) -> None:
    page = Page(write_page(write_run(tmp_path / "r2")))
    assert [address for address in page.addresses if not address.startswith("#")] == []
    assert "@import" not in page.html
    assert "url(" not in page.html


def test_a_failure_shows_its_check_the_last_green_run_and_how_to_repeat_it(tmp_path: Path) -> None:
    write_run(tmp_path / "r0", verdict="pass", held=True)
    html = Page(write_page(write_run(tmp_path / "r2"))).html
    assert "expected a reply, last seen" in html
    assert "<li>a reply " in html
    assert "Last green run: r0. First divergence: step “1 " in html
    assert "<code>kit run mail --mode emulated</code>" in html
    assert "<td>missed</td>" in html


def test_a_run_in_another_mode_is_no_green_run_to_compare_with(tmp_path: Path) -> None:
    green = write_run(tmp_path / "r0", verdict="pass", held=True) / "report.json"
    green.write_text(green.read_text().replace('"mode": "emulated"', '"mode": "live"'))
    assert "Last green run" not in Page(write_page(write_run(tmp_path / "r2"))).html


def test_a_half_written_run_makes_a_page_with_notices(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "r2")
    (folder / "report.json").write_text('{"run": ')
    with (folder / "history.jsonl").open("a") as history:
        history.write('{"index": 9, "na')
    html = Page(write_page(folder)).html
    assert "is no report of a run" in html
    assert "history.jsonl: 1 line(s) are not JSON" in html
    assert "unfinished" in html


def test_a_history_of_another_kind_is_left_out(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "r2")
    (folder / "history.jsonl").write_text('{"a": 1}\n[]\n{"name": "visit", "type": "ok", "aws": "soon"}\n')
    (folder / "calls.jsonl").write_text('{"at": "x"}\n{"at": null, "operation": "SendMessage"}\n')
    html = Page(write_page(folder)).html
    assert "history.jsonl: 3 line(s)" in html
    assert "calls.jsonl: 2 line(s)" in html


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a run with report\.json or history\.jsonl"):
        write_page(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_many_events_stays_small_and_keeps_the_failed_ones(tmp_path: Path) -> None:
    path = write_page(write_run(tmp_path / "r2", events=30_000))
    html = path.read_text()
    assert path.stat().st_size < 3_000_000
    assert "30003 operations: a timeline looks up 8000 of them, the failed ones first" in html
    assert '"create_session"' in html


def test_hops_of_a_way_follow_each_other() -> None:
    hops = waterfall([{"name": "accepted", "aws_seconds": 1.0}, {"name": "reply", "aws_seconds": 4.0}])
    assert [(hop["start"], hop["hop"], hop["left"], hop["wide"]) for hop in hops] == [
        (0.0, 1.0, 0.0, 25.0),
        (1.0, 3.0, 25.0, 75.0),
    ]


def test_the_command_prints_the_path_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "runs" / "r2")
    assert main(["report", "--html", "r2", "--set", f"report_dir={tmp_path}"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "runs" / "r2" / "report.html")


@pytest.mark.parametrize(
    ("name", "message", "command"),
    [
        ("recovery", "", "kit run recovery --mode live"),
        ("mixes", "liveness\nnext: kit replay .kit/mixes/a.json", "kit replay .kit/mixes/a.json"),
        ("(start)", "", ""),
        ("test_mine", "", ""),
    ],
)
def test_the_command_that_repeats_is_one_that_exists(name: str, message: str, command: str) -> None:
    assert repeat({"name": name, "verdict": "fail", "error": {"message": message}}, "live") == command
