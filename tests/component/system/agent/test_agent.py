"""What the agent makes of its commands."""

from __future__ import annotations

import html
import json
import re
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.system import Files, patient, sample_site
from webordinary_testkit.emulation.system.agent import CannotDo, Plan, parse, plan
from webordinary_testkit.emulation.system.agent.commands import AddPage, CreateFile, ReplaceText, UpdateFile
from webordinary_testkit.emulation.system.agent.paths import BadPath, placed
from webordinary_testkit.emulation.system.agent.reader import normalised
from webordinary_testkit.emulation.system.agent.sources import js_string, slug
from webordinary_testkit.emulation.system.preview import Site

SITE = sample_site()
TORTURE = [
    "plain",
    'a "quoted" word',
    "it's `backticked` ${x} $(touch /tmp/pwned)",
    "{title} {{}} }{ {/* */}",
    "</script><script>alert(1)</script>",
    "</Base></h1><slot /><Fragment>",
    "--- \n---\nconst x = 1;\n---",
    "back\\slash \\u0041 \\",
    "//comment /* c */ */",
    "<!-- comment -->",
    "set:html={x} &amp; &lt;b&gt; &#123;",
    "über ☃ 🎉 漢字",
]


def planned(instruction: str, files: Files = SITE) -> Plan:
    return plan(parse(instruction), files)


def written(made: Plan, path: str) -> str:
    content = made.changes[path]
    assert content is not None
    return content.decode()


def shown(files: Files, path: str) -> str:
    """The text a browser shows for a path."""
    answer = Site(files, "").answer(path)
    assert answer.status == 200, answer.body.decode()
    return _visible(answer.body.decode())


def _visible(markup: str) -> str:
    pieces: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    reader = Reader()
    reader.feed(re.sub(r"(?s)<style>.*?</style>", "", markup))
    reader.close()
    return " ".join("".join(pieces).split())


@pytest.mark.parametrize(
    ("instruction", "path", "summary"),
    [
        ('Add a new page called "Test Page"', "src/pages/test-page.astro", 'Add page "Test Page"'),
        ("Create page A", "src/pages/page-a.astro", 'Add page "Page A"'),
        ("Create a components/Header.astro file", "src/components/Header.astro", "Create Header component"),
        ("Create a Header.astro component", "src/components/Header.astro", "Create Header component"),
        ("Create a news.astro page", "src/pages/news.astro", "Create news page"),
        ("Create a notes.txt file", "public/notes.txt", "Create public/notes.txt"),
        ('Update about.astro with "closed"', "src/pages/about.astro", "Update about page"),
        ('Update the page "About" with "closed"', "src/pages/about.astro", "Update about page"),
    ],
)
def test_files_go_where_a_site_has_them(instruction: str, path: str, summary: str) -> None:
    made = planned(instruction)
    assert list(made.changes) == [path]
    assert made.summary == summary


def test_a_page_with_text_is_shown_with_its_text() -> None:
    made = planned('Add a page called "News" with the text "First.\n\nSecond <b>one</b>."')
    assert "News First. Second <b>one</b>." in shown(SITE.changed(made.changes), "news")


def test_an_update_keeps_the_title_of_a_page() -> None:
    before = SITE.changed(planned('Add a page called "What\'s new?"').changes)
    after = before.changed(planned('Update the page "What\'s new?" with "Nothing."', before).changes)
    assert "What's new? Nothing." in shown(after, "what-s-new")


def test_words_are_replaced_in_text_and_titles_and_nowhere_else() -> None:
    files = SITE.changed(planned('Add a page called "A title" with the text "a title, and h1"').changes)
    made = planned('Replace "title" with "{h1}" in the page "A title"', files)
    after = files.changed(made.changes)
    assert "A {h1} a {h1}, and h1" in shown(after, "a-title")
    assert written(made, "src/pages/a-title.astro").count("<h1>{title}</h1>") == 1


def test_text_that_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(CannotDo, match=r"src/pages/about\.astro does not contain"):
        planned('Replace "<h1>" with "x" in about.astro')


def test_later_commands_see_what_earlier_ones_did() -> None:
    made = planned('Add a page called "A" with "one"\nReplace "one" with "two" in a.astro\nDelete about.astro')
    assert "two" in written(made, "src/pages/a.astro")
    assert made.changes["src/pages/about.astro"] is None
    assert made.summary == 'Add page "A" and 2 more'


def test_a_file_can_be_made_and_deleted_again() -> None:
    made = planned("Create a notes.txt file\nDelete notes.txt")
    assert made.changes == {"public/notes.txt": None}


def test_slowness_adds_up() -> None:
    assert planned("slow 2\nslow 3.5").seconds == 5.5


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("fail: out of flour", "out of flour"),
        ("delete missing.astro", "There is no file missing.astro"),
        ("update the page Nowhere with x", "There is no file Nowhere"),
        ("create a ../../etc/passwd.txt file", "not a path in the site"),
        ("create a /etc/motd.txt file", "not a path in the site"),
        ("create a .git/hooks/post-commit.txt file", "not a path in the site"),
        ("create a src/.env.txt file", "not a path in the site"),
        ("create a src/evil.js file", "a type I do not write"),
        ("create a scripts/x.txt file", "neither below src/ nor below public/"),
        ("update Base.astro with x", "is a layout"),
        ("create a layouts/New.astro file", "is a layout"),
        ("create page A\nfail", "asked to fail"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(instruction: str, reason: str) -> None:
    with pytest.raises(CannotDo, match=re.escape(reason)):
        planned(instruction)


def test_the_configuration_of_the_site_is_out_of_reach() -> None:
    assert list(planned("create a package.json file").changes) == ["public/package.json"]


def test_a_name_that_two_files_have_is_asked_back() -> None:
    files = SITE.changed({"src/pages/x/menu.astro": b"", "src/pages/y/menu.astro": b""})
    with pytest.raises(CannotDo, match=r"src/pages/x/menu\.astro, src/pages/y/menu\.astro"):
        planned("delete menu.astro", files)


@patient
@given(st.text())
def test_no_path_leads_out_of_the_site(text: str) -> None:
    try:
        path = placed(text)
    except BadPath:
        return
    assert path.startswith(("src/", "public/"))
    assert not {"..", ".git", ""} & set(path.split("/"))


@patient
@given(st.text(min_size=1))
def test_every_title_has_a_harmless_file_name(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(title))
    assert len(slug(title)) <= 70


def test_titles_that_look_alike_in_ascii_keep_their_own_files() -> None:
    assert slug("漢字") != slug("仮名")
    assert slug("x" * 200) != slug("x" * 201)


@pytest.mark.parametrize("text", TORTURE)
def test_hostile_words_are_shown_as_they_are(text: str) -> None:
    """The same list was put through Astro 5.18's own compiler, with the same result."""
    title = " ".join(text.split())
    made = plan([AddPage(f"T {title}", text), CreateFile("src/components/C.astro", text)], SITE)
    (page,) = (path for path in made.changes if path.startswith("src/pages/"))
    visible = shown(SITE.changed(made.changes), page.removeprefix("src/pages/").removesuffix(".astro"))
    assert f"T {title} {title}" in visible


@patient
@given(st.text(alphabet="<>/{}$`\"'\\-*#&;=! \n\tab漢\u2028", min_size=1, max_size=80))
def test_no_words_break_a_page(text: str) -> None:
    clean = normalised(text)
    made = plan([AddPage("Words", clean)], SITE)
    assert " ".join(clean.split()) in shown(SITE.changed(made.changes), "words")
    markup = Site(SITE.changed(made.changes), "").answer("words").body.decode()
    assert "<script" not in markup


@patient
@given(st.text(alphabet='<>{}$`"\\- ab', min_size=1, max_size=30), st.text(alphabet='<>{}$`"\\- ab', max_size=30))
def test_replacing_words_never_makes_markup(old: str, new: str) -> None:
    files = SITE.changed(plan([AddPage("Words", "some ab text")], SITE).changes)
    try:
        made = plan([ReplaceText("words.astro", old, new)], files)
    except CannotDo:
        return
    answer = Site(files.changed(made.changes), "").answer("words")
    assert answer.status == 200, answer.body.decode()
    tags = re.findall(r"<[^>]*>", answer.body.decode())
    assert tags == re.findall(r"<[^>]*>", Site(files, "").answer("words").body.decode())


@patient
@given(st.text())
def test_a_string_in_a_frontmatter_ends_neither_itself_nor_the_frontmatter(text: str) -> None:
    literal = js_string(text)
    assert "--" not in literal
    assert "\n" not in literal
    assert json.loads(literal) == text


def test_a_hundred_kilobytes_are_taken() -> None:
    words = "flour & <water> " * 6400
    made = plan([UpdateFile("about.astro", words)], SITE)
    assert html.escape(words.strip(), quote=False) in written(made, "src/pages/about.astro")


def test_a_site_without_the_layout_gets_whole_pages() -> None:
    made = plan([AddPage("Alone")], Files({}))
    page = Files({}).changed(made.changes)
    assert shown(page, "alone") == "Alone Alone"


def test_binary_files_are_left_alone() -> None:
    files = SITE.changed({"public/blob.txt": b"\xff\xfe"})
    with pytest.raises(CannotDo, match="not a text file"):
        planned('replace "a" with "b" in blob.txt', files)


def test_nothing_of_an_instruction_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise AssertionError(f"something was run: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    for text in TORTURE:
        plan([AddPage("T", text)], SITE)
