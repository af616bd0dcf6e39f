"""A cursor over an instruction's text: words, quotations, the rest of a line. Linear in the text's length."""

from __future__ import annotations

import unicodedata

QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "„": "“"}
_SENTENCE_END = ".!?;,"
_BLANK = " \t"


def normalised(text: str) -> str:
    """Line feeds only, composed characters, no control characters (git and JSON would choke on NUL)."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\N{LINE SEPARATOR}", "\n").replace("\N{PARAGRAPH SEPARATOR}", "\n")
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")
    )


class Reader:
    """Reads left to right. Every method either consumes what it names or leaves the cursor where it was."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._no_close_after: dict[tuple[str, tuple[str, ...]], int] = {}

    def at_end(self) -> bool:
        """Skips blank lines."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at >= len(self._text)

    def line_of(self, mark: int) -> tuple[int, str]:
        """Number and text of the line a mark is in."""
        start = self._text.rfind("\n", 0, mark) + 1
        return self._text.count("\n", 0, mark) + 1, self._text[start : self._line_end(mark)]

    def at_line_end(self) -> bool:
        return self._skip(self._at, _BLANK) >= self._line_end(self._at)

    def ends(self) -> bool:
        """At the end of the line, but for punctuation; consumes that."""
        return self._consume_to(self._skip(self._at, _BLANK + _SENTENCE_END), self._line_end(self._at))

    def word(self, *options: str) -> str | None:
        """One of these words (given in lower case), in any case, on this line."""
        start = self._skip(self._at, _BLANK)
        end = start
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] == "_"):
            end += 1
        if (found := self._text[start:end].lower()) not in options or not found:
            return None
        self._at = end
        return found

    def symbol(self, symbol: str) -> bool:
        start = self._skip(self._at, _BLANK)
        if not self._text.startswith(symbol, start):
            return False
        self._at = start + len(symbol)
        return True

    def quotation(self, *followers: str) -> str | None:
        """A quoted text, without its quotes; it may span lines and hold further quotes.

        It ends at the first closing quote behind which the line ends or one of the words `followers` comes.
        """
        start = self._skip(self._at, _BLANK)
        if start >= len(self._text) or self._text[start] not in QUOTES:
            return None
        quote = QUOTES[self._text[start]]
        if start >= self._no_close_after.get((quote, followers), len(self._text)):
            return None
        end = self._text.find(quote, start + 1)
        while end >= 0 and not self._closes(end + 1, followers):
            end = self._text.find(quote, end + 1)
        if end < 0:
            self._no_close_after[quote, followers] = start
            return None
        self._at = end + 1
        return self._text[start + 1 : end]

    def token(self) -> str | None:
        """Everything up to the next blank, without punctuation at its end."""
        start = self._skip(self._at, _BLANK)
        end = start
        while end < len(self._text) and not self._text[end].isspace():
            end += 1
        token = self._text[start:end].rstrip(_SENTENCE_END + ":")
        if not token:
            return None
        self._at = start + len(token)
        return token

    def until(self, *words: str) -> str:
        """The text up to one of these words on this line, or up to the line's end."""
        start = self._skip(self._at, _BLANK)
        end = self._line_end(start)
        lowered = self._text[start:end].lower()
        # Lower-casing can change a text's length (İ); such a line is taken whole.
        stops = [lowered.find(f" {word} ") for word in words] if len(lowered) == end - start else []
        stop = min((stop for stop in stops if stop > 0), default=end - start)
        self._at = start + stop
        return self._text[start : start + stop].strip()

    def rest_of_line(self) -> str:
        return self.until()

    def remainder(self) -> str:
        rest = self._text[self._at :]
        self._at = len(self._text)
        return rest.strip("\n").rstrip()

    def mark(self) -> int:
        return self._at

    def back_to(self, mark: int) -> None:
        self._at = mark

    def _closes(self, at: int, followers: tuple[str, ...]) -> bool:
        at = self._skip(at, _BLANK + _SENTENCE_END)
        if at >= len(self._text) or self._text[at] == "\n":
            return True
        return any(
            self._text[at : at + len(word)].lower() == word
            and not self._text[at + len(word) : at + len(word) + 1].isalnum()
            for word in followers
        )

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end

    def _skip(self, at: int, characters: str) -> int:
        while at < len(self._text) and self._text[at] in characters:
            at += 1
        return at

    def _consume_to(self, at: int, end: int) -> bool:
        if at < end:
            return False
        self._at = end
        return True
