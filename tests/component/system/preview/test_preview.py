"""The preview of Astro sources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.system import Files, patient, sample_site
from webordinary_testkit.emulation.system.preview import PreviewError, Site
from webordinary_testkit.emulation.system.preview.render import Renderer


def page(source: str, base: str = "", **others: str) -> str:
    """The HTML of src/pages/index.astro, with other files beside it (`__` for `/`, `.astro` added)."""
    files = {f"src/{name.replace('__', '/')}.astro": text for name, text in others.items()}
    files["src/pages/index.astro"] = source
    return Renderer(files.get, base).page("src/pages/index.astro")


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<p>plain &amp; simple</p>", "<p>plain &amp; simple</p>"),
        ("---\nconst name = 'Ann';\n---\n<p>{name}</p>", "<p>Ann</p>"),
        ("---\nconst name = `Ann & Bob`;\n---\n{name}", "Ann &amp; Bob"),
        ("---\nconst a = 'x'\nconst b = `${a}-${a}`\n---\n{b}", "x-x"),
        ('<a href={`/p/${"x"}`}>l</a>', '<a href="/p/x">l</a>'),
        ("{1} {2.5} {true}{false}{null}{undefined}{/* nothing */}", "1 2.5 true"),
        ("{'a\\n\\u0041\\u{1F600}\\x42'}", "a\nA\U0001f600B"),
        ("{'\\ud83d\\ude00'}", "\U0001f600"),
        ("{missing ?? 'x'}".replace("missing", "null"), "x"),
        ('<input disabled value={"a\\"b"} hidden={false}>', '<input disabled value="a&quot;b">'),
        ("<br/><img src='x'>", '<br><img src="x">'),
        ("<><b>1</b><Fragment>2</Fragment></>", "<b>1</b>2"),
        ("<!-- {a} <b> --><!doctype html>", "<!-- {a} <b> --><!doctype html>"),
        ("<style>a { b: c }</style>", "<style>a { b: c }</style>"),
        ("<script is:inline>if (a < b) { c() }</script>", "<script>if (a < b) { c() }</script>"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("---\n// one\n/* two */\ninterface Props {\n  a?: string;\n}\n---\nx", "x"),
    ],
)
def test_it_shows(source: str, html: str) -> None:
    assert page(source) == html


def test_components_get_props_and_slots() -> None:
    shown = page(
        '---\nimport Box from "../components/Box.astro";\nconst n = "N";\n---\n'
        '<Box title="T" {n} wide><p slot="foot">F</p>body</Box>',
        components__Box='---\nconst { title, n: name, wide, size = "m" } = Astro.props;\n---\n'
        '<div wide={wide}>{title}{name}{size}<slot /><slot name="foot" /><slot name="x">none</slot></div>',
    )
    assert shown == "<div wide>TNmbody<p>F</p>none</div>"


def test_links_from_the_root_stay_below_the_base() -> None:
    shown = page('<a href="/about">a</a><img src={"/x.png"}><a href="//cdn">c</a><a href="b">b</a>', base="/session/s1")
    assert (
        shown == '<a href="/session/s1/about">a</a><img src="/session/s1/x.png"><a href="//cdn">c</a><a href="b">b</a>'
    )


def test_values_cannot_become_markup() -> None:
    shown = page("---\nconst x = '<b>\"\\'&';\n---\n<p title={x}>{x}</p>")
    assert shown == '<p title="&lt;b&gt;&quot;&#x27;&amp;">&lt;b&gt;&quot;&#x27;&amp;</p>'


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("---\nconst a = 1;\nfetch('/x');\n---\n", 3, "does not run: fetch"),
        ("---\nconst a = compute();\n---\n{a}", 2, "does not evaluate"),
        ("---\nimport a from 'lodash';\n---\n<p/>\n<Card/>", 5, "<Card> is not imported"),
        ("---\nimport Card from 'lib';\n---\n\n<Card/>", 5, 'comes from "lib"'),
        ("---\nimport Card from './Card.astro';\n---\n<Card/>", 4, "there is no src/pages/Card.astro"),
        ("<p>\n{missing}</p>", 2, "missing is not defined"),
        ("<p>\n\n{[1].map(x => x)}</p>", 3, "does not evaluate"),
        ("\n<p set:html={x}/>", 2, "directive set:html"),
        ("<p {...rest}/>", 1, "spread"),
        ("<div>\n<p></div>", 2, "</div> where </p> is expected"),
        ("\n<div>", 2, "<div> is not closed"),
        ("</p>", 1, "no closing tag"),
        ("a\n{b", 2, "{ is not closed"),
        ("<style>", 1, "<style> is not closed"),
        ("<p", 1, "does not end"),
        ("<div>" * 200, 1, "more than 100 elements"),
        ("{Astro.props}", 1, "an object cannot be shown"),
        ("{Astro.props.a.b}", 1, "there is no b"),
    ],
)
def test_what_it_cannot_show_is_told_with_its_line(source: str, line: int, message: str) -> None:
    with pytest.raises(PreviewError, match=r".") as failed:
        page(source)
    assert message in failed.value.message
    assert (failed.value.path, failed.value.line) == ("src/pages/index.astro", line)


def test_a_component_that_contains_itself_is_told() -> None:
    with pytest.raises(PreviewError, match="does one contain itself"):
        page(
            "---\nimport A from '../components/A.astro';\n---\n<A/>",
            components__A="---\nimport A from './A.astro';\n---\n<A/>",
        )


@patient
@given(st.text(alphabet="<>/{}`'\"\\$= \n-aAp!", max_size=60))
def test_any_source_is_shown_or_told(source: str) -> None:
    try:
        page(source)
    except PreviewError as error:
        assert error.line >= 1


def test_the_sample_site_is_shown() -> None:
    site = Site(sample_site(), "/session/s1", "<!-- tail -->")
    for path, expected in {
        "": "<h1>Welcome</h1>",
        "about": "We have been baking",
        "about/": "<title>About us – Corner Bakery</title>",
        "/": 'href="/session/s1/styles.css"',
    }.items():
        answer = site.answer(path)
        assert answer.status == 200
        assert expected in answer.body.decode()
        assert answer.body.decode().count("<!-- tail -->\n</body>") == 0
        assert "<!-- tail --></body>" in answer.body.decode()


def test_a_missing_page_is_a_404_in_the_sites_own_words() -> None:
    answer = Site(sample_site(), "").answer("nowhere")
    assert (answer.status, answer.source) == (404, "src/pages/404.astro")


def test_a_missing_page_of_a_bare_site_is_a_404_too() -> None:
    answer = Site(Files({}), "").answer('<script>"')
    assert answer.status == 404
    assert b"<script>" not in answer.body


def test_a_broken_page_is_an_error_that_shows_file_and_line() -> None:
    answer = Site(Files({"src/pages/index.astro": "ok\n<p>{x y}</p>"}), "").answer("")
    assert answer.status == 500
    assert b"src/pages/index.astro:2" in answer.body


def test_a_page_of_another_kind_is_an_error_and_not_a_blank() -> None:
    answer = Site(Files({"src/pages/notes.md": "# Notes"}), "").answer("notes")
    assert answer.status == 500
    assert b"src/pages/notes.md" in answer.body


@pytest.mark.parametrize(
    ("path", "kind"),
    [("styles.css", "text/css; charset=utf-8"), ("favicon.svg", "image/svg+xml; charset=utf-8")],
)
def test_public_files_are_served_as_what_they_are(path: str, kind: str) -> None:
    answer = Site(sample_site(), "").answer(path)
    assert (answer.status, answer.content_type) == (200, kind)


@pytest.mark.parametrize("path", ["../package.json", "../../etc/passwd", "%2e%2e/package.json", "pages/index.astro"])
def test_only_pages_and_public_files_are_served(path: str) -> None:
    assert Site(sample_site(), "").answer(path).status == 404
