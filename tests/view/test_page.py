"""Pages: what is put in is escaped, nothing is fetched, and data cannot break out."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from markup import Markup, read

from ossein.view.page import Html, Section, embed, join, page, table, tag, tiles

NASTY = "</script><script>alert('1')</script>&\"<b>"


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30))
def test_text_comes_back_as_it_was(text):
    markup = Markup()
    markup.feed(tag("p", text, title=text))
    markup.close()
    (element,) = markup.elements
    assert (element.text, element.attributes["title"]) == (text, text)


def test_html_is_not_escaped_twice():
    assert tag("p", tag("b", "1 & 2")) == "<p><b>1 &amp; 2</b></p>"
    assert join(["a<", Html("<br>")]) == "a&lt;<br>"
    assert tag("input", value=1, name="n") == '<input value="1" name="n">'


def test_a_page_with_nasty_names():
    sections = [
        Section(NASTY, join([table((NASTY,), [(NASTY,), ("12.5 %",)], marked=[0]), tiles([(NASTY, NASTY)])]), NASTY),
        Section("", embed({"name": NASTY}, "reel")),
    ]
    markup = read(page(NASTY, sections, lead=NASTY, scripts=["tip.js"]))
    assert markup.reel == {"name": NASTY}
    assert len(markup.all("script")) == 2
    assert [h.text for h in (*markup.all("title"), *markup.all("h1"), *markup.all("h2"))] == [NASTY] * 3
    assert [(cell.text, cell.attributes.get("class")) for cell in markup.all("td")] == [
        (NASTY, None),
        ("12.5 %", "number"),
    ]
    assert len(markup.all("tr", "marked")) == 1


def test_links_lead_to_sections():
    markup = read(page("t", [Section(name, Html("")) for name in ("One two", "Three!", "4")]))
    links = [a.attributes["href"] for a in markup.all("a")]
    assert (
        links == ["#" + section.attributes["id"] for section in markup.all("section")] == ["#one-two", "#three", "#4"]
    )


def test_a_page_may_fetch_nothing_and_knows_light_dark_and_narrow():
    markup = read(page("t", []))
    metas = {
        one.attributes.get("http-equiv") or one.attributes.get("name"): one.attributes for one in markup.all("meta")
    }
    assert metas["Content-Security-Policy"]["content"].startswith("default-src 'none'")
    assert "width=device-width" in metas["viewport"]["content"]
    (style,) = markup.all("style")
    assert "prefers-color-scheme: dark" in style.text
    assert json.loads(text_of(embed(["<", "\u2028"], "x"))) == ["<", "\u2028"]


def text_of(html):
    markup = Markup()
    markup.feed(html)
    return markup.elements[0].text
