"""What a client wrote themselves, out of plain mails and HTML mails."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.system import patient
from webordinary_testkit.emulation.system.hermes.markup import to_text
from webordinary_testkit.emulation.system.hermes.quote_stripping import own_words

WANTED = 'Add a page called "Hello"'


@pytest.mark.parametrize(
    "text",
    [
        WANTED,
        f"{WANTED}\r\n\r\n",
        f"{WANTED}\n\nOn Mon, 22 Nov 2026 at 08:00, Webordinary <edit@x.y> wrote:\n> Done\n> Conversation ID: t1\n",
        f"{WANTED}\n\nOn Mon, 22 Nov 2026 at 08:00, Webordinary\n<edit@x.y> wrote:\n\n> Done\n",
        f"On Mon, Webordinary wrote:\n> Done\n> Conversation ID: t1\n\n{WANTED}\n",
        f"> Done\n{WANTED}\n> more",
        f"{WANTED}\n\nAm 22.11.2026 um 08:00 schrieb Webordinary:\n\n> Fertig",
        f"{WANTED}\n\nLe lun. 22 nov. 2026, Webordinary <e@x> a écrit :\n> Fini",
        f"{WANTED}\n\nOn Mon, Webordinary wrote:\nDone: without quote marks\nConversation ID: t1",
        f"{WANTED}\n\n-----Original Message-----\nFrom: Webordinary\nDone",
        f"{WANTED}\n\n________________________________\nFrom: Webordinary\nDone",
        f"{WANTED}\n\nFrom: Webordinary <e@x>\nSent: Monday\nTo: Ann\nSubject: Re: x\n\nDone",
        f"{WANTED}\n\n*From:* Webordinary\n*Date:* Monday\n\nDone",
        f"{WANTED}\n\n-- \nAnn Baker\nCorner Bakery",
        f"{WANTED}\n--\nAnn",
        f"{WANTED}\n\nSent from my iPhone",
        f"{WANTED}\n\nConversation ID: t1\n",
        f"Hi there,\n\n{WANTED}\n\nThanks,\nAnn",
        f"Hello!\n{WANTED}\n\nKind regards\n\nAnn Baker\nCorner Bakery",
        f"Dear team,\n{WANTED}\nThank you so much!",
    ],
)
def test_only_the_new_words_are_taken(text: str) -> None:
    assert own_words(text) == WANTED


@pytest.mark.parametrize(
    "text",
    [
        "On Mondays we bake\nand write about it",
        "From: here to there",
        "create page Thanks\ncreate page B",
        "a\n\nb\n- c\n* d",
        "Hello",
        "On a day\n\nwrote:",
        "--- not a signature",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize("text", ["", "\n", "> all quoted", "On Mon, A wrote:\n> x", "-- \nAnn"])
def test_a_mail_without_new_words_is_empty(text: str) -> None:
    assert own_words(text) == ""


@patient
@given(st.text())
def test_words_are_dropped_but_never_made_up(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = own_words(text).split("\n")
    position = 0
    for line in kept:
        while position < len(lines) and lines[position].rstrip() != line:
            position += 1
        assert position < len(lines) or not line


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<b>a</b> <i>b</i>&nbsp;c &amp; &lt;d&gt;", "a b c & <d>"),
        ("a\n   b", "a b"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<head><title>t</title><style>p{}</style></head><body>a<script>b()</script></body>", "a"),
        ("<head>never closed<body>a", "a"),
        ("<!-- <p>no</p> -->a<!-- open", "a"),
        ("<blockquote>q<br>r</blockquote>a", "> q\n> r\n> \n\na"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("a < b > c", "a < b > c"),
        ("a <b", "a"),
        ("<P CLASS='x'>a</P>", "a"),
        ("&#" + "9" * 5000 + ";x", "&#" + "9" * 5000 + ";x"),
    ],
)
def test_html_is_read_as_text(markup: str, text: str) -> None:
    assert [line.rstrip() for line in to_text(markup).strip().split("\n") if line.rstrip() not in ("", ">")] == [
        line.rstrip() for line in text.split("\n") if line.rstrip() not in ("", ">")
    ]


def test_paragraphs_are_kept_apart() -> None:
    assert to_text("<p>a</p><p>b</p>") == "a\n\nb"


def test_a_gmail_reply_is_the_reply_alone() -> None:
    markup = (
        f'<div dir="ltr">{WANTED.replace(chr(34), "&quot;")}</div><br><div class="gmail_quote"><div dir="ltr">'
        "On Mon, Webordinary &lt;<a href='mailto:e@x'>e@x</a>&gt; wrote:<br></div>"
        "<blockquote><div>Done</div><p>Conversation ID: t1</p></blockquote></div>"
    )
    assert own_words(to_text(markup)) == WANTED


@patient
@given(st.text(alphabet="<>/!-abp&#;\"' \n=", max_size=200))
def test_any_markup_is_read(markup: str) -> None:
    to_text(markup)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<!--",
        "<a ",
        "<p>",
        "<blockquote>",
        "<style>",
        "&",
        "\n",
        "> ",
        "On a\n",
        "On x wrote:\n> y\n",
        "From: x\n",
    ],
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """html.parser (before 3.13.6) and the mail libraries take minutes for some of these."""
    hostile = piece * (100_000 // len(piece))
    began = time.process_time()
    own_words(to_text(hostile))
    own_words(hostile)
    assert time.process_time() - began < 5
