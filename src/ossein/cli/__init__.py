"""The command line: one verb a recipe, and code of one's own before it. The only folder that knows the command-line library.

Heavy libraries are imported by the verb that needs them, so that `ossein --help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ossein import __version__
from ossein.cli.allocator import hold_memory
from ossein.errors import OsseinError, SettingsError, did_you_mean

VERBS = {
    "quickstart": ("use", "the whole story in minutes: data, pre-training, fine-tuning, comparison, picture"),
    "data": (
        "data",
        "get | prepare | synthetic | info | check | list: stores from known sets and foreign files, what is in them, what is wrong",
    ),
    "pretrain": ("train", "PRESET STORE: learn an encoder from unlabelled clips"),
    "recognise": ("train", "PRESET STORE [--from RUN]: train a recogniser on labelled clips and test it"),
    "evaluate": ("use", "RUN STORE: test finished runs; probes, retrieval, few labels, other data"),
    "fuse": ("use", "STORE RUN...: one recogniser of several: of other seeds, streams or presets"),
    "calibrate": ("live", "BUNDLE STORE: probabilities that come true, and from which on to name a class"),
    "predict": ("live", "BUNDLE FILE...: name what happens in clips, and when"),
    "stream": ("live", "BUNDLE: answers for frames as they come, a line of JSON each"),
    "view": ("look", "clip | rebuilt | saliency: pictures and pages of clips, reconstructions, what answers rest on"),
    "report": ("look", "RUN [STORE]: one HTML file about a run or a folder of runs"),
    "runs": ("look", "[FOLDER] | diff A B: a table of runs, or what sets two apart"),
    "export": ("ship", "BUNDLE OUT.onnx|OUT.pt2: one file that other programs run, compared with the bundle"),
    "serve": ("ship", "BUNDLE [FILE]: the model in the browser, while a recording plays"),
    "pose": ("share", "VIDEO OUT.json: find the people in a video, as keypoints to predict from"),
    "card": ("share", "RUN: write the model card of a finished run"),
    "push": ("share", "RUN USER/NAME: put a finished run on the Hugging Face hub"),
    "reproduce": ("reproduce", "PAPER --dataset DATA: its ablation tables on your data, its numbers beside yours"),
}

_SHARED = ("pretrain", "recognise")
"""The verbs that several processes may run together."""


def main() -> None:
    """Run the command line and leave with its exit status: 0, 1 for an error, 2 for a wrong call, 130 for Ctrl-C."""
    hold_memory()
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit status.

    Args:
        args: The words after `ossein`.
    """
    rest = [arg for arg in args if arg != "--traceback"]
    try:
        _run(rest)
    except OsseinError as error:
        if "--traceback" in args:
            raise
        print(f"ossein: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nossein: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    return 0


def _run(args: list[str]) -> None:
    own, args = _own_code(args)
    if not args or args[0] in ("-h", "--help"):
        _print_help()
    elif args[0] == "--version":
        print(f"ossein {__version__}")
    elif args[0] not in VERBS:
        print(f"ossein: '{args[0]}' is no verb of ossein. {did_you_mean(args[0], VERBS)}", file=sys.stderr)
        raise SystemExit(2)
    elif args[0] not in _SHARED and os.environ.get("WORLD_SIZE", "1") != "1":
        raise SettingsError(f"'ossein {args[0]}' runs in one process. Start it without torchrun or accelerate launch.")
    else:
        for word in own:
            import_module("ossein.own").use(word)
        module = import_module(f"ossein.cli.{VERBS[args[0]][0]}")
        getattr(module, args[0])(args[1:])


def _own_code(args: list[str]) -> tuple[list[str], list[str]]:
    """What `--use` names before the verb, and the words from the verb on."""
    own, rest = [], list(args)
    while rest and rest[0].partition("=")[0] == "--use":
        _, given, word = rest.pop(0).partition("=")
        if not (word if given else rest):
            print(
                "ossein: --use needs a Python file, or the name of a module. Name it after the flag.", file=sys.stderr
            )
            raise SystemExit(2)
        own.append(word if given else rest.pop(0))
    return own, rest


def _print_help() -> None:
    lines = "\n".join(f"  {name:<11} {text}" for name, (_, text) in VERBS.items())
    print(
        "ossein learns from unlabelled skeleton sequences and recognises actions, gestures and people from few labels.\n\n"
        f"usage: ossein [--use FILE] VERB ... [--help] [--traceback]\n\n{lines}\n\n"
        "--use FILE.py, or a module, is imported before the verb runs: methods, recognisers, presets and readers of your own.\n"
        "New here? `ossein quickstart` shows the whole story in some ten minutes on a laptop."
    )
