"""The verbs `pretrain` and `recognise`: PRESET STORE, then any setting by its path.

A preset is a function of the data, so the store is opened before the other words are read: what `--help` shows are the
values that would be used.
"""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from ossein.cli.screen import make_screen, say
from ossein.deploy import Card, read_card
from ossein.errors import SettingsError, did_you_mean
from ossein.files import read_yaml
from ossein.recipes.base import leaves
from ossein.recipes.describe import result_lines
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, PretrainSettings, RecogniseSettings
from ossein.recipes.pretrain import folds
from ossein.recipes.pretrain import pretrain as run_pretrain
from ossein.recipes.recognise import recognise as run_recognise
from ossein.settings import Settings
from ossein.skeleton import Skeleton
from ossein.store import Store
from ossein.train import Stopped, free_folder

S = TypeVar("S", bound=Settings)


def pretrain(args: Sequence[str]) -> None:
    """Run `ossein pretrain`."""
    preset, store, rest = _preset_and_store("pretrain", args, PRETRAIN)
    default = PRETRAIN[preset](_facts(store, rest))
    start = _configured(PretrainSettings, rest) or default

    @dataclass(frozen=True)
    class Pretrain:
        """Learn an encoder from clips without their labels."""

        settings: Annotated[PretrainSettings, tyro.conf.arg(name="")] = start
        split: tuple[str, ...] = ()
        """Learn from the training half of this split (or of several, such as 'split*'); all for every clip."""
        out: Path | None = None
        """The folder to write to; runs/... by default."""
        resume: bool = False
        """Go on with the run in --out."""
        config: Path | None = None
        """A run.yaml to take settings from."""

    call = tyro.cli(Pretrain, prog=f"ossein pretrain {preset} STORE", args=rest)
    if store is None:
        return
    out = _out(call.out, f"pretrain-{preset}-{store.path.stem}", resume=call.resume)
    with resumable(["pretrain", *args], out):
        run_pretrain(
            preset,
            store,
            out,
            splits=list(call.split) or None,
            settings=call.settings if call.settings != default else None,
            resume=call.resume,
            screen=make_screen(),
        )
    say(f"pre-trained encoder in {out}\nnext: ossein recognise ssl {store.path} --from {out}")


def recognise(args: Sequence[str]) -> None:
    """Run `ossein recognise`."""
    preset, store, rest = _preset_and_store("recognise", args, RECOGNISE)
    default = RECOGNISE[preset](_facts(store, rest), _pretrained_card(rest))
    start = _configured(RecogniseSettings, rest) or default

    @dataclass(frozen=True)
    class Recognise:
        """Train a recogniser on labelled clips and test it on others."""

        settings: Annotated[RecogniseSettings, tyro.conf.arg(name="")] = start
        split: tuple[str, ...] = ()
        """Train on one half of this split and test on the other; several (or 'split*') are folds."""
        from_: Annotated[Path | None, tyro.conf.arg(name="from")] = None
        """The pre-training run to start from; random weights without it."""
        labels: int = 0
        """Learn from this many labelled clips of each class; 0 for all."""
        seeds: tuple[int, ...] = ()
        """One training for each of these seeds, in place of --train.seed."""
        out: Path | None = None
        """The folder to write to; runs/... by default."""
        resume: bool = False
        """Go on with the runs in --out."""
        config: Path | None = None
        """A run.yaml to take settings from."""

    call = tyro.cli(Recognise, prog=f"ossein recognise {preset} STORE", args=rest)
    if store is None:
        return
    out = _out(call.out, f"recognise-{preset}-{store.path.stem}", resume=call.resume)
    with resumable(["recognise", *args], out):
        results = run_recognise(
            preset,
            store,
            out,
            splits=list(call.split) or None,
            pretrained=call.from_,
            labels=call.labels,
            seeds=call.seeds or (call.settings.train.seed,),
            settings=call.settings if call.settings != default else None,
            resume=call.resume,
            screen=make_screen(),
        )
    say("\n".join([*result_lines(results), f"model in {out}"]))


@contextmanager
def resumable(words: Sequence[str], out: Path, *, resumes: bool = True) -> Iterator[None]:
    """Turns Ctrl-C into a word on how to go on.

    Args:
        words: The command line after `ossein`.
        out: Where the run is.
        resumes: Whether the command can go on with what is in `out`.
    """
    try:
        yield
    except Stopped:
        more = [] if "--out" in words else ["--out", str(out)]
        more += [] if "--resume" in words or not resumes else ["--resume"]
        say(f"\nstopped; everything so far is in {out}. To go on:\n  ossein {shlex.join([*words, *more])}")
        raise SystemExit(130) from None


def _preset_and_store(verb: str, args: Sequence[str], presets: dict[str, Any]) -> tuple[str, Store | None, list[str]]:
    words = [word for word in args[:2] if not word.startswith("-")]
    rest = list(args[len(words) :])
    helps = "-h" in rest or "--help" in rest
    if len(words) < 2 and not helps:
        say(f"usage: ossein {verb} {{{','.join(presets)}}} STORE [settings] [--help]")
        raise SystemExit(2)
    preset = words[0] if words else next(iter(presets))
    if preset not in presets:
        raise SettingsError(f"'{preset}' is no preset of ossein {verb}. {did_you_mean(preset, presets)}")
    return preset, Store.open(words[1]) if len(words) == 2 else None, rest


def _facts(store: Store | None, args: list[str]) -> Facts:
    if store is None:
        return Facts(Skeleton.of("coco-17"), dims=2, persons=1, has_sizes=True, num_train=0)
    first = folds(store, _words(args, "--split") or None, Path())[0]
    return Facts.of(store, len(first.train))


def _pretrained_card(args: list[str]) -> Card | None:
    origin = _words(args, "--from")
    return read_card(leaves(Path(origin[0]))[0].folder)[1] if origin else None


def _configured(kind: type[S], args: list[str]) -> S | None:
    file = _words(args, "--config")
    if not file:
        return None
    data = read_yaml(file[0])
    return kind.read(data.get("settings", data) if isinstance(data, dict) else data, where=file[0])


def _words(args: list[str], flag: str) -> list[str]:
    """The words that follow a flag, up to the next one."""
    if flag not in args:
        return [word.partition("=")[2] for word in args if word.startswith(f"{flag}=")]
    rest = args[args.index(flag) + 1 :]
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return rest[:end]


def _out(out: Path | None, name: str, *, resume: bool) -> Path:
    if resume and out is None:
        raise SettingsError("--resume needs --out, the folder of the run to go on with.")
    return out or free_folder(Path("runs"), name)
