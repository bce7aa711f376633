"""What mkdocs does beyond mkdocs.yml: every program in `examples/` becomes a page, to which links to the file lead."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each program: what its first line says, and all of it."""
    for path in sorted((Path(config.config_file_path).parent / "examples").glob("*.py")):
        code = path.read_text(encoding="utf-8")
        title = code.removeprefix('"""').splitlines()[0].rstrip(".")
        text = f'# {title}\n\n```python title="examples/{path.name}"\n{code}```\n'
        files.append(File.generated(config, f"examples/{path.stem}.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead links to those pages."""
    return re.sub(r"\]\(\.\./examples/(\w+)\.py\)", r"](examples/\1.md)", markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Begin at the first page."""
    page = '<!doctype html><meta http-equiv="refresh" content="0; url=start/"><a href="start/">Start here</a>\n'
    (Path(config.site_dir) / "index.html").write_text(page, encoding="utf-8")
