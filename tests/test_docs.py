"""The pages of documentation: every link leads somewhere, and every command and program on them works."""

import re
import tomllib

import pytest
import yaml
from pages import LEARNED, ROOT, SHORT, blocks, check_outputs, run_page, targets
from standins import write_data

import ossein
from ossein.cli import VERBS
from ossein.readers import READERS
from ossein.skeleton import Skeleton, builtin_names

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUN = [page for page in PAGES if page.name != "README.md" and any(b.language in ("sh", "python") for b in blocks(page))]

_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _anchor(heading: str) -> str:
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.lower()))


def _anchors(text: str) -> set[str]:
    return {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), f"{page.name}: {link}"
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), f"{page.name}: {link}"


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_commands_and_programs_work(page, tmp_path, monkeypatch):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    check_outputs(run_page(page, LEARNED if "\nossein calibrate" in page.read_text(encoding="utf-8") else SHORT))


def test_pages_that_are_run_are_those_meant():
    assert {page.name for page in RUN} >= {
        "start.md",
        "own-keypoints.md",
        "store.md",
        "extend.md",
        "method.md",
        "formats.md",
    }


def test_the_formats_page_tells_of_every_reader_and_skeleton():
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## ([a-z]+)$", text, re.MULTILINE)) == set(READERS)
    table = dict(re.findall(r"^\| (`.+?) \| ([\d, ]+) \|", text.partition("## Skeletons")[2], re.MULTILINE))
    told = {}
    for names, numbers in table.items():
        told |= dict(zip(re.findall(r"`([\w-]+)`", names), map(int, numbers.split(", ")), strict=True))
    assert told == {name: len(Skeleton.of(name)) for name in builtin_names()}


def test_options_named_in_the_method_page_exist():
    from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts

    facts = Facts(Skeleton.of("coco-17"), dims=2, persons=2, has_sizes=True, num_train=1000)
    settings = [preset(facts) for preset in PRETRAIN.values()] + [preset(facts, None) for preset in RECOGNISE.values()]
    known = {path for one in settings for path in _paths(one.plain())}
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    for option in re.findall(r"`--([a-z.-]+?)(?:\.\*)?(?: [\w ,-]+)?`", text):
        path = option.replace(".no-", ".").replace("-", "_")
        assert path in known, option


def test_the_store_page_tells_of_every_array(tmp_path):
    from ossein.store.container import DTYPES
    from ossein.store.file import TABLES

    text = (ROOT / "docs" / "store.md").read_text(encoding="utf-8").partition("## Layout")[2]
    rows = re.findall(r"^\| (`[\w/`, ]+) \| (\w+(?: or \w+)*) \|", text, re.MULTILINE)
    told = {name: types.split(" or ") for names, types in rows for name in re.findall(r"`([\w/]+)`", names)}
    assert {name: [dtype] for name, dtype in TABLES.items()} == {
        name: [DTYPES[code] for code in codes] for name, codes in told.items() if name in TABLES
    }
    assert set(told) - set(TABLES) == {"x", "score", "names", "split/NAME"}


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = re.search(r"^## ([\d.]+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert changes is not None
    assert ossein.__version__ == project["version"] == citation["version"] == changes[1]


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert set(re.findall(r": ([\w-]+\.md)$", text, re.MULTILINE)) == {
        page.name for page in (ROOT / "docs").glob("*.md")
    }


def test_the_verbs_are_all_told_of():
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"ossein {verb}" not in text] == []


def test_what_a_bare_machine_needs_is_pinned():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in pins.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+(post\d+)?", line) for line in lines)
    named = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {re.match(r"[\w-]+", one)[0].lower() for one in wanted} <= named  # pyright: ignore
    assert {"quickstart", "test", "lint", "types", "ladder", "check", "setup", "docs", "results", "clean"} <= targets()


def _paths(data: dict, prefix: str = "") -> set[str]:
    """Dotted paths of all settings and of the groups they are in."""
    out: set[str] = set()
    for key, value in data.items():
        out |= {prefix + key} | (_paths(value, f"{prefix}{key}.") if isinstance(value, dict) else set())
    return out
