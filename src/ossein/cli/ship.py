"""The verbs `export` and `serve`."""

import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ossein.cli.screen import Place, counting, parse, say
from ossein.deploy import find_runtime, load
from ossein.recipes.export import check_format
from ossein.recipes.export import export as run_export
from ossein.recipes.serve import served

_MB = 1_000_000


@dataclass(frozen=True)
class Export:
    """Write a recogniser as one file that other programs run: normalisation, model and softmax in one graph."""

    bundle: Place
    """The folder of a finished recognition run, or of its bundle."""
    out: Place
    """The file to write: OUT.onnx for ONNX, OUT.pt2 for torch.export."""


@dataclass(frozen=True)
class Serve:
    """Show a model in the browser: a recording plays and the scores move. For this machine alone; nothing leaves it."""

    bundle: Place
    """The folder of a finished recognition run, or of its bundle."""
    file: Annotated[Path | None, tyro.conf.Positional] = None
    """What to play, in any format that ossein reads; without it a synthetic clip, where the model can read one."""
    clip: int = 0
    """Which clip of the file, counted from 0."""
    format: str = "auto"
    """The format of the file; see `ossein data list`."""
    port: int = 0
    """Where to listen; 0 takes any port that is free."""
    open: bool = False
    """Open the page in the browser."""
    runtime: Path | None = None
    """onnxruntime-web: its folder, or what 'npm pack' made of it. Without it, it is fetched once (33 MB) and kept."""


def export(args: Sequence[str]) -> None:
    """Run `ossein export`."""
    call = parse(Export, "ossein export", args)
    check_format(call.out)
    done = run_export(load(call.bundle), call.out)
    say(
        f"{done.path}: {done.size / 1e6:.1f} MB; probabilities differ from the bundle's by {done.difference:.1e} at most"
    )


def serve(args: Sequence[str]) -> None:
    """Run `ossein serve`."""
    call = parse(Serve, "ossein serve", args)
    model = load(call.bundle)
    with counting("onnxruntime-web", "MB") as tell:
        runtime = find_runtime(call.runtime, lambda done, total: tell(done // _MB, total and -(-total // _MB)))
    say("making what the browser computes; this takes some seconds")
    with served(model, runtime, call.file, clip=call.clip, format=call.format, port=call.port) as server:
        page = f"http://127.0.0.1:{server.server_port}/"
        say(f"{page}  (Ctrl-C ends it)")
        if call.open:
            webbrowser.open(page)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
