"""Writes Astro sources around a client's words, which stay words: nothing in them is read as code or markup."""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from pathlib import PurePosixPath

LAYOUT = "src/layouts/Base.astro"
_LONGEST_SLUG = 60


def slug(title: str) -> str:
    """The file name of a page: "Test Page" has `test-page`. A title without letters or digits gets a hash."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if name and len(name) <= _LONGEST_SLUG:
        return name
    digest = hashlib.sha256(title.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{name[:_LONGEST_SLUG].strip('-') or 'page'}-{digest}"


def title_of(path: str) -> str:
    """A title for a file that was given none: `src/pages/test-page.astro` has "Test Page"."""
    words = re.split(r"[-_.]+", PurePosixPath(path).stem)
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


def page(path: str, title: str, text: str | None, *, layout: bool) -> str:
    """An Astro page below src/pages; with the site's layout when it has one."""
    body = "".join(f"\n  {paragraph}" for paragraph in paragraphs(text))
    if not layout:
        return (
            f"---\nconst title = {js_string(title)};\n---\n\n"
            f'<html lang="en">\n<head><meta charset="utf-8" /><title>{{title}}</title></head>\n'
            f"<body>\n  <h1>{{title}}</h1>{body}\n</body>\n</html>\n"
        )
    up = "../" * (len(PurePosixPath(path).parts) - 2)
    return (
        f'---\nimport Base from "{up}layouts/Base.astro";\n\nconst title = {js_string(title)};\n---\n\n'
        f"<Base title={{title}}>\n  <h1>{{title}}</h1>{body}\n</Base>\n"
    )


def component(path: str, text: str | None) -> str:
    """An Astro component that shows its name, or the given text."""
    name = PurePosixPath(path).stem
    body = "".join(f"\n  {paragraph}" for paragraph in paragraphs(text)) or "\n  {name}"
    return f'---\nconst name = {js_string(name)};\n---\n\n<div class="{slug(name)}">{body}\n</div>\n'


def paragraphs(text: str | None) -> list[str]:
    """One `<p>` for each block between blank lines; line ends inside become `<br />`."""
    blocks = [block.strip() for block in re.split(r"\n[ \t]*\n", text or "")]
    return ["<p>{}</p>".format(escaped(block).replace("\n", "<br />\n")) for block in blocks if block]


def escaped(text: str) -> str:
    """Text for an Astro template: neither a tag nor an expression can begin in it."""
    markup = html.escape(text, quote=False).replace("{", "&#123;").replace("}", "&#125;")
    # Astro 5.18 takes an element whose text begins with // or /* for a comment, and drops it.
    return re.sub(r"^([ \t]*)/(?=[/*])", r"\1&#47;", markup, flags=re.MULTILINE)


def js_string(text: str) -> str:
    """A string literal for an Astro frontmatter; it can end neither itself nor the frontmatter (`---`)."""
    return json.dumps(text, ensure_ascii=False).replace("--", "-\\u002d").replace("</", "<\\/")
