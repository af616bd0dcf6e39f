"""The agent's grammar."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.system import patient
from webordinary_testkit.emulation.system.agent import NotUnderstood, parse
from webordinary_testkit.emulation.system.agent.commands import (
    AddPage,
    Command,
    CreateFile,
    DeleteFile,
    Fail,
    ReplaceText,
    Slow,
    UpdateFile,
)
from webordinary_testkit.emulation.system.agent.reader import normalised

HOSTILE = "\"'`$(){}[]<>\\/|&;#*!?~%^-_=+., \t" + "abcXYZ019äßé漢🎉" + "\u2028\u00a0\u202e\u0000\u001b"
hostile_text = st.text(alphabet=HOSTILE, min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("instruction", "command"),
    [
        ('Add a new page called "Test Page"', AddPage("Test Page")),
        ("add a page called Contact", AddPage("Contact")),
        ("Please add a page called 'Contact us'.", AddPage("Contact us")),
        ("Could you please make the page titled “Über uns”?", AddPage("Über uns")),
        ("Create page A", AddPage("Page A")),
        ("Add a page called Tom's bread", AddPage("Tom's bread")),
        ('Add a page called "News" with the text "We moved."', AddPage("News", "We moved.")),
        ("Add a page called News with the text We moved", AddPage("News", "We moved")),
        ('Add a page called "News" saying: "We moved."', AddPage("News", "We moved.")),
        ('Add a page called "He said "hi" there"', AddPage('He said "hi" there')),
        ('Add a page called "two\nlines"', AddPage("two lines")),
        ('Add a page called "unbalanced', AddPage('"unbalanced')),
        ("Create a components/Header.astro file", CreateFile("components/Header.astro")),
        ("create the file public/robots.txt with User-agent: *", CreateFile("public/robots.txt", "User-agent: *")),
        ("Create a `notes.txt` file with the content:\none\n\ntwo", CreateFile("notes.txt", "one\n\ntwo")),
        ("Update Header.astro with new content", UpdateFile("Header.astro", "new content")),
        ("Change the page 'About us' to \"Closed\"", UpdateFile("About us", "Closed")),
        ('Replace "a" with "b" in index.astro', ReplaceText("index.astro", "a", "b")),
        ('Replace "a" by "" in the page "About us"', ReplaceText("About us", "a", "")),
        ('Update index.astro: replace "a" with "b"', ReplaceText("index.astro", "a", "b")),
        ("Delete the page about.astro", DeleteFile("about.astro")),
        ("Remove notes.txt.", DeleteFile("notes.txt")),
        ("fail", Fail("It was asked to fail.")),
        ("Fail: out of flour", Fail("out of flour")),
        ("slow 20", Slow(20)),
        ("slow 1.5 seconds", Slow(1.5)),
    ],
)
def test_it_understands(instruction: str, command: Command) -> None:
    assert parse(instruction) == [command]


@pytest.mark.parametrize(
    "instruction",
    [
        "bake bread",
        "",
        " \n\t ",
        "add",
        "add a page called",
        'add a page called ""',
        "create a file",
        "create a thing",
        "update Header.astro",
        "replace a with b in c.astro",
        'replace "" with "b" in c.astro',
        'replace "a" with "b"',
        "slow",
        "slow down",
        "slow -1",
        "slow 1e9",
        "slow 99999",
        "slow ٣",
        "delete",
        'add a page called "A"\nand then something else',
    ],
)
def test_it_says_that_it_does_not_understand(instruction: str) -> None:
    with pytest.raises(NotUnderstood, match="I understand"):
        parse(instruction)


def test_the_line_it_does_not_understand_is_quoted() -> None:
    with pytest.raises(NotUnderstood, match="line 3: dance"):
        parse('add a page called "A"\n\ndance\ncreate page B')


def test_several_commands_are_read_in_order() -> None:
    assert parse('slow 1\r\n\r\nadd a page called "A"; \ncreate page B.') == [Slow(1), AddPage("A"), AddPage("Page B")]


@patient
@given(hostile_text.filter(lambda text: "\n" not in normalised(text)))
def test_a_quoted_title_is_taken_literally(title: str) -> None:
    words = " ".join(normalised(title).split())
    if not words:
        return
    (command,) = parse(f'Add a page called "{title}"')
    assert isinstance(command, AddPage)
    if command.text is None:
        assert command.title in (words, f'"{words}"')
    else:
        assert '"' in words


@patient
@given(hostile_text.filter(lambda text: '"' not in normalised(text)))
def test_a_quoted_title_without_the_quote_in_it_is_exactly_the_title(title: str) -> None:
    words = " ".join(normalised(title).split())
    if words:
        assert parse(f'Add a page called "{title}"') == [AddPage(words)]


@patient
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert parse(text)
    except NotUnderstood as refusal:
        assert "I understand" in str(refusal)


@patient
@given(
    st.lists(st.sampled_from(['"', "'", "`", "“", "add a page called ", " with ", "replace ", " in x.txt", "\n", "a"]))
)
def test_no_order_of_quotes_and_words_confuses_it(pieces: list[str]) -> None:
    with contextlib.suppress(NotUnderstood):
        parse("".join(pieces))


@patient
@given(st.text())
def test_normalised_text_has_no_control_characters(text: str) -> None:
    clean = normalised(text)
    assert not [character for character in clean if character < " " and character not in "\n\t"]
    assert "\r" not in clean
    clean.encode()
