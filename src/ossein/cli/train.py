"""The verbs `pretrain` and `recognise`: PRESET STORE, then any setting by its path.

A preset is a function of the data, so the store is opened before the other words are read: what `--help` shows are the
values that would be used.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import tyro

from ossein.cli.screen import command, make_screen, misuse, parse, say
from ossein.deploy import Card, fetch, preset_after, read_card
from ossein.errors import DataError, SettingsError, did_you_mean
from ossein.files import read_yaml
from ossein.recipes.base import leaves
from ossein.recipes.describe import result_lines
from ossein.recipes.pool import Also, Pool
from ossein.recipes.presets import PRETRAIN, RECOGNISE, Facts, PretrainSettings, RecogniseSettings
from ossein.recipes.pretrain import folds
from ossein.recipes.pretrain import pretrain as run_pretrain
from ossein.recipes.recognise import recognise as run_recognise
from ossein.recipes.report import report as run_report
from ossein.settings import Choice, changed
from ossein.skeleton import Skeleton
from ossein.store import ALL, Store, to_learn
from ossein.train import Stopped, all_processes, first_process, free_folder, start_processes

S = TypeVar("S", PretrainSettings, RecogniseSettings)


def pretrain(args: Sequence[str]) -> None:
    """Run `ossein pretrain`."""
    preset, store, rest = _preset_and_store("pretrain", args, PRETRAIN)
    told = _told(rest)
    splits = list(told.splits) or None
    default = PRETRAIN[preset](_facts(store, rest, lambda own: folds(own, splits, Path())[0].train, told.also))
    start = _start(default, told)

    @dataclass(frozen=True)
    class Pretrain:
        """Learn an encoder from clips without their labels."""

        settings: Annotated[PretrainSettings, tyro.conf.arg(name=""), tyro.conf.AvoidSubcommands] = start
        split: tuple[str, ...] = told.splits
        """Learn from the training half of this split (or of several, such as 'split*'); all for every clip."""
        also: tuple[str, ...] = told.also
        """Learn from these stores too, whatever joints they have: FILE for every clip, FILE:SPLIT for a training half."""
        out: Path | None = None
        """The folder to write to; runs/... by default."""
        resume: bool = False
        """Go on with the run in --out."""
        config: Path | None = None
        """A run.yaml to take settings, split and other stores from; what is said beside it wins."""

    call = parse(Pretrain, f"ossein pretrain {preset} STORE", rest)
    if store is None:
        return
    out = _out(call.out, f"pretrain-{preset}-{store.path.stem}", call.settings.train.device, resume=call.resume)
    with resumable(["pretrain", *args], out):
        run_pretrain(
            preset,
            store,
            out,
            splits=list(call.split) or None,
            also=[Also.read(word) for word in call.also],
            settings=_choice(default, call.settings, told),
            resume=call.resume,
            screen=make_screen(),
        )
    _report(out)
    say(f"pre-trained encoder in {out}\n{_next(call.split, preset_after(call.settings.model), store, out)}")


def recognise(args: Sequence[str]) -> None:
    """Run `ossein recognise`."""
    preset, store, rest = _preset_and_store("recognise", args, RECOGNISE)
    told = _told(rest)
    splits = list(told.splits) or None
    facts = _facts(store, rest, lambda own: to_learn(own, splits)[0].train)
    default = RECOGNISE[preset](facts, _pretrained_card(told))
    start = _start(default, told)

    @dataclass(frozen=True)
    class Recognise:
        """Train a recogniser on labelled clips and test it on others."""

        settings: Annotated[RecogniseSettings, tyro.conf.arg(name=""), tyro.conf.AvoidSubcommands] = start
        split: tuple[str, ...] = told.splits
        """Train on one half of this split and test on the other; several (or 'split*') are folds; all: learn from every clip."""
        from_: Annotated[Path | None, tyro.conf.arg(name="from")] = told.origin
        """The pre-training to start from, a run or user/name on the hub; random weights without it."""
        labels: str = told.labels
        """Labels to learn from: all, a share of each class such as 10%, or clips of each class such as 5-per-class."""
        seeds: tuple[int, ...] = ()
        """One training for each of these seeds, in place of --train.seed."""
        out: Path | None = None
        """The folder to write to; runs/... by default."""
        resume: bool = False
        """Go on with the runs in --out."""
        config: Path | None = None
        """A run.yaml to take settings, split, start and labels from; what is said beside it wins."""

    call = parse(Recognise, f"ossein recognise {preset} STORE", rest)
    if store is None:
        return
    out = _out(call.out, f"recognise-{preset}-{store.path.stem}", call.settings.train.device, resume=call.resume)
    with resumable(["recognise", *args], out):
        results = run_recognise(
            preset,
            store,
            out,
            splits=list(call.split) or None,
            pretrained=call.from_,
            labels=call.labels,
            seeds=call.seeds,
            settings=_choice(default, call.settings, told),
            resume=call.resume,
            screen=make_screen(),
        )
    say("\n".join([*result_lines(results), f"model in {out}"]))
    _report(out)


def _next(split: Sequence[str], preset: str | None, store: Store, out: Path) -> str:
    """What to do with a pre-training: it has seen whatever it may have learned from, and nothing of that is a test."""
    every = list(split) == [ALL]
    words = ["OTHER.clips"] if every else [str(store.path), *(["--split", *split] if split else [])]
    told = command("recognise", preset or "PRESET", *words, "--from", str(out))
    return f"next, with labelled clips that it has not seen: {told}" if every else f"next: {told}"


def _report(out: Path) -> None:
    """Write what can be told of the runs without looking at clips again, which takes no time."""
    if first_process():
        say(f"report: {run_report(out)}")


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
    except (Stopped, KeyboardInterrupt):
        given = any(word == "--out" or word.startswith("--out=") for word in words)
        more = [] if given else ["--out", str(out)]
        more += [] if "--resume" in words or not resumes else ["--resume"]
        told = f"what was saved is in {out}. To go on" if resumes else "to start again"
        say(f"\nstopped; {told}:\n  {command(*words, *more)}")
        raise SystemExit(130) from None


@dataclass(frozen=True)
class _Told:
    """What is known before the command line is read as a whole: defaults for its words."""

    settings: Any = None
    where: str = ""
    splits: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    origin: Path | None = None
    labels: str = "all"


def _preset_and_store(verb: str, args: Sequence[str], presets: dict[str, Any]) -> tuple[str, Store | None, list[str]]:
    words = list(takewhile(lambda word: not word.startswith("-"), args[:2]))
    rest = list(args[len(words) :])
    if len(words) < 2 and not _helps(rest):
        misuse(f"usage: ossein {verb} {{{','.join(presets)}}} STORE [settings] [--help]")
    preset = words[0] if words else next(iter(presets))
    if preset not in presets:
        misuse(
            f"'{preset}' is no preset of ossein {verb}. {did_you_mean(preset, presets)} If it is one of your own, name its "
            f"file before the verb: ossein --use FILE {verb} {preset} ..."
        )
    return preset, Store.open(words[1]) if len(words) == 2 else None, rest


def _facts(
    store: Store | None, args: Sequence[str], train: Callable[[Store], np.ndarray], also: Sequence[str] = ()
) -> Facts:
    """What a preset is told; for a help text that is asked for before a split is named, of every clip."""
    if store is None:
        return Facts(Skeleton.of("coco-17"), dims=2, persons=1, has_sizes=True, num_train=0)
    pool = Pool(store, [Also.read(word) for word in also])
    try:
        return Facts.of(pool.rows, pool.clips(train(store)))
    except DataError:
        if not _helps(args):
            raise
        return Facts.of(store, np.arange(len(store)))


def _helps(args: Sequence[str]) -> bool:
    return "-h" in args or "--help" in args


def _pretrained_card(told: _Told) -> Card | None:
    if told.origin is None:
        return None
    origin = fetch(told.origin)
    return read_card(origin if (origin / "bundle.json").is_file() else leaves(origin)[0].folder)[1]


def _told(args: list[str]) -> _Told:
    """What a run.yaml says, and over it the words that the presets ask for before all others are read."""
    file, splits, also, origin = (_words(args, flag) for flag in ("--config", "--split", "--also", "--from"))
    told = _recorded(file[0]) if file else _Told()
    told = replace(told, splits=tuple(splits)) if splits else told
    told = replace(told, also=tuple(also)) if also else told
    return replace(told, origin=Path(origin[0])) if origin else told


def _recorded(file: str) -> _Told:
    record = read_yaml(file)
    if not isinstance(record, dict) or "settings" not in record:
        return _Told(record, file)  # settings alone
    data, origin = record.get("data") or {}, record.get("from")
    return _Told(
        record["settings"],
        file,
        splits=(str(data["split"]),) if "split" in data else (),
        also=tuple(map(str, record.get("also") or ())),
        origin=Path(origin) if origin else None,
        labels=str(data.get("labels", "all")),
    )


def _start(default: S, told: _Told) -> S:
    """The settings of the run.yaml that was named, or else the preset's."""
    if not told.where:
        return default
    start = type(default).read(told.settings, where=told.where)
    given, wanted = (one.model.plain()["kind"] for one in (start, default))
    if given != wanted:
        raise SettingsError(
            f"{told.where}: its settings are for '{given}', this preset is '{wanted}'. "
            "Name the preset that the run was made with."
        )
    return start


def _choice(default: S, settings: S, told: _Told) -> Choice[S]:
    """Settings of a file as they are; else what was changed of the preset's, whose values follow from each fold's training half."""
    return settings if told.where else lambda own: changed(own, default, settings)


def _words(args: list[str], flag: str) -> list[str]:
    """The words that follow a flag, up to the next one."""
    times = sum(word.partition("=")[0] == flag for word in args)
    if times > 1:
        # The last would win, and what the others name be lost without a word.
        misuse(f"{flag} is given {times} times. Give it once; several values stand behind one: {flag} A B.")
    if flag not in args:
        return [word.partition("=")[2] for word in args if word.startswith(f"{flag}=")]
    rest = args[args.index(flag) + 1 :]
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return rest[:end]


def _out(out: Path | None, name: str, device: str, *, resume: bool) -> Path:
    if resume and out is None:
        raise SettingsError("--resume needs --out, the folder of the run to go on with.")
    if out is None:
        start_processes(device)
        out = free_folder(Path("runs"), name)
        all_processes()  # all have looked before one of them makes it
    return out
