"""Pages as tests read them: elements in order, each closed where it must be, and the data of their programs."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = {"br", "input", "meta"}


@dataclass
class Element:
    """An element of a page, with the text directly in it and below it."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Markup(HTMLParser):
    """A page, read; an element that is not closed, or closed twice, is an error."""

    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {key: value or "" for key, value in attrs}))
        if tag not in _VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, name: str, class_: str = "") -> list[Element]:
        """The elements of a name, and of a class where one is given."""
        found = (one for one in self.elements if one.name == name)
        return [one for one in found if not class_ or class_ in one.attributes.get("class", "").split()]

    @property
    def reel(self) -> dict[str, Any]:
        """The data of the players."""
        (script,) = self.all("script", "reel")
        return json.loads(script.text)


def read(page: str) -> Markup:
    """A whole page: well formed, and with no word of any other place than itself."""
    assert page.startswith("<!doctype html>")
    words = re.sub(r'<script type="application/json".*?</script>', "", page)
    assert re.search(r"//\w", words) is None, "names another place"
    assert "url(" not in page
    assert "@import" not in page
    markup = Markup()
    markup.feed(page)
    markup.close()
    assert not markup.open
    return markup
