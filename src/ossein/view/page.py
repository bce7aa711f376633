"""The frame of every page: one HTML file with its style, data and programs inside; light and dark, from 360 px up.

A page asks for nothing from anywhere, and its content policy forbids it to. Text is escaped where it is put in: what is
HTML already says so by its type.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ossein.files import read_text

_VOID = {"br", "input", "meta"}
"""Elements that have no end."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


class Html(str):
    """Text that is HTML already and is put on a page as it is."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: object) -> Html:
    """An element with what it holds.

    Args:
        name: Of the element.
        children: What it holds; plain text is escaped, `Html` is not.
        attributes: Of the element; `_` stands for `-`, one at the end is dropped (`class_`), and None leaves one out.

    >>> tag("p", "1 < 2", tag("br"), class_="note", data_tip=None)
    '<p class="note">1 &lt; 2<br></p>'
    """
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{words}>")
    return Html(f"<{name}{words}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Parts one after another; plain text is escaped.

    >>> join(["<", tag("b", "bold")])
    '&lt;<b>bold</b>'
    """
    return Html("".join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts))


def embed(data: Any, class_: str) -> Html:
    """Plain data for the programs of a page; no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return tag("script", Html(text), type="application/json", class_=class_)


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Args:
        title: Its heading; none where it is empty.
        body: What it shows.
        note: A line below the heading: what is shown, and what is not.
    """

    title: str
    body: Html
    note: str = ""

    @property
    def anchor(self) -> str:
        """The name to link to.

        >>> Section("Class by class", Html("")).anchor
        'class-by-class'
        """
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")

    def html(self) -> Html:
        """The section as an element."""
        note = tag("p", self.note, class_="note") if self.note else Html("")
        heading = tag("h2", self.title) if self.title else Html("")
        return tag("section", heading, note, self.body, id=self.anchor or None)


def page(title: str, sections: Sequence[Section], *, lead: str = "", scripts: Sequence[str] = ()) -> str:
    """A whole page.

    Args:
        title: Its heading and the name of its tab.
        sections: What it shows; from three on there is a list of links to them.
        lead: What stands below the heading.
        scripts: Programs to put in, files of `view/web`.
    """
    links = [tag("a", section.title, href=f"#{section.anchor}") for section in sections]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", web("page.css")),
    )
    body = tag(
        "body",
        tag("header", tag("h1", title), tag("div", lead, class_="lead"), tag("nav", *links) if len(links) > 2 else ""),
        tag("main", *(section.html() for section in sections)),
        *(tag("script", web(script)) for script in scripts),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def web(name: str) -> Html:
    """A style or program of ours, as it is put into pages."""
    return Html(read_text(Path(__file__).with_name("web") / name))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, marked: Iterable[int] = ()) -> Html:
    """A table that scrolls by itself where it is wider than the page.

    Args:
        heads: Of the columns; none for a table without.
        rows: Text or HTML for each cell; numbers are set to the right.
        marked: Rows that stand out, from 0.
    """
    chosen = set(marked)
    lines = [
        tag("tr", *map(_cell, row), class_="marked" if number in chosen else None) for number, row in enumerate(rows)
    ]
    top = tag("thead", tag("tr", *(tag("th", head) for head in heads))) if heads else ""
    return tag("div", tag("table", top, tag("tbody", *lines)), class_="wide")


def tiles(facts: Iterable[tuple[str, str]]) -> Html:
    """A few numbers, large, each over what it is: (number, name)."""
    return tag("div", *(tag("div", tag("b", number), tag("span", name)) for number, name in facts), class_="tiles")


def _cell(text: str) -> Html:
    number = re.fullmatch(r"[+-]?[\d.]+( ?%)?( ± [\d.]+)?", text) is not None
    return tag("td", text, class_="number" if number else None)
