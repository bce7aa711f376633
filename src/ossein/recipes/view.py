"""Pictures of clips, of reconstructions, and of what answers rest on. Each from a file to a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ossein.clip import Clip
from ossein.deploy import Card, load_pretrained, load_recogniser
from ossein.draw import Draw
from ossein.errors import DataError, SettingsError, SkeletonError, did_you_mean
from ossein.pretrain import MaskedPretrainer
from ossein.readers import get_reader, reader_for
from ossein.recipes.base import check_input
from ossein.recipes.joints import same_joints
from ossein.skeleton import Skeleton
from ossein.store import Store
from ossein.store.sample import sample_test
from ossein.train import fixed_batches
from ossein.view import (
    Film,
    Rebuilt,
    Saliency,
    draw_animation,
    draw_clip,
    draw_rebuilt,
    draw_saliency,
    occlude,
    rebuilt_film,
    write_player,
    write_saliency,
)
from ossein.words import count

Group = Literal["joint", "part"]


def find_clip(
    what: Path, word: str = "0", *, format: str = "auto", skeleton: str | None = None
) -> tuple[Clip, Skeleton, str]:
    """A clip of a store or of a foreign file, its joints, and the name of its class.

    Args:
        what: A store, or a file or folder in any format that ossein reads.
        word: The name of the clip, or its number from 0.
        format: The reader to use, or `auto` to tell it from the file.
        skeleton: The joints, for a file that does not say; wins over what it says.

    Raises:
        DataError: The file cannot be read, or has no such clip.
        SkeletonError: The joints are not known or do not fit.
    """
    if what.suffix == ".clips":
        store = Store.open(what)
        index = find_index(store, word)
        return store.clip(index), store.skeleton, _class(store.classes, store.labels[index])
    reader = reader_for(what) if format == "auto" else get_reader(format)
    source = reader.read(what, skeleton=Skeleton.of(skeleton) if skeleton else None)
    if source.skeleton is None:
        raise SkeletonError(f"{what}: does not say what its joints are. Name them with --skeleton.")
    names, number = [], int(word) if word.isdecimal() else -1
    for place, clip in enumerate(source.clips):
        if word == clip.name or number == place:
            return clip, source.skeleton, _class(source.classes, clip.label)
        names.append(clip.name)
    raise DataError(f"{what}: no clip is called '{word}'. {did_you_mean(word, names)} Or say its number, from 0.")


def find_index(store: Store, word: str) -> int:
    """The number of a clip from its name or its number.

    Raises:
        DataError: There is no such clip.
    """
    if word.isdecimal() and word not in store.names:
        store.clip(int(word))  # refuses numbers that are too high
        return int(word)
    return store.find(word)


def view_clip(clip: Clip, skeleton: Skeleton, out: Path, *, caption: str = "", frames: int = 8) -> None:
    """Write a clip as a strip of frames (PNG), an animation (GIF) or a player (HTML), by the ending of the file.

    Raises:
        SettingsError: The ending is another one, or no frame is to be shown.
        DataError: The file cannot be written.
    """
    kind = ending(out, ".png", ".gif", ".html")
    if kind == ".png":
        draw_clip(clip, skeleton, out, frames=frames)
    elif kind == ".gif":
        draw_animation(clip, skeleton, out)
    else:
        told = [caption, f"{skeleton.name}, {clip.x.shape[3]}-D"]
        told += [f"subject {clip.subject}"] if clip.subject >= 0 else []
        told += [f"{count(f'{clip.rate:g}', 'frame')} a second"] if clip.rate else []
        write_player(Film.of(clip, skeleton, caption=", ".join(filter(None, told))), out, title=clip.name or "clip")


def view_rebuilt(
    run: Path, store: Store, out: Path, *, clips: Sequence[str] = (), seed: int = 0, frames: int = 6
) -> None:
    """Write hidden joints beside rebuilt ones (PNG, HTML), in the coordinates that the model sees.

    Args:
        run: A pre-training run.
        store: Clips on the same skeleton.
        out: Where to write.
        clips: Names or numbers; the first two where none is given.
        seed: Names the draw of what is hidden.
        frames: How many frames of each clip a PNG shows.

    Raises:
        BundleError: The run holds no pre-training.
        DataError: There is no such clip, or the file cannot be written.
        SettingsError: The method hides nothing, or the file has another ending.
        SkeletonError: The store has other joints.
    """
    kind = ending(out, ".png", ".html")
    indices = [find_index(store, word) for word in clips] or list(range(min(2, len(store))))
    examples = rebuilt(run, store, indices, seed=seed)
    title = "Hidden joints rebuilt from the others"
    if kind == ".png":
        draw_rebuilt(examples, store.skeleton, out, frames=frames, title=title)
    else:
        note = f"{load_pretrained(run)[1].preset}; frames and coordinates as the model sees them"
        write_player([rebuilt_film(example, store.skeleton) for example in examples], out, title=title, note=note)


def rebuilt(run: Path, store: Store, indices: Sequence[int] | np.ndarray, *, seed: int = 0) -> list[Rebuilt]:
    """What a pre-training makes of clips whose joints are hidden as in its training; the first person of each.

    Args:
        run: The pre-training.
        store: Clips on the same skeleton.
        indices: Which.
        seed: Names the draw of what is hidden.

    Raises:
        BundleError: The run holds no pre-training.
        SettingsError: The method hides nothing.
        SkeletonError: The store has other joints.
    """
    method, card = load_pretrained(run)
    if not isinstance(method, MaskedPretrainer):
        raise SettingsError(f"{run}: '{card.preset}' hides no joints that could be shown. Name a masked pre-training.")
    check_same(run, card, store)
    batch = next(fixed_batches(store, indices, card.input.change(views=1), size=len(indices)))
    hidden = method.draw_hidden(batch, Draw.of(seed))
    with torch.inference_mode():
        filled = method.rebuild(batch, hidden)
    return [
        Rebuilt(
            x=batch.x[n, 0].numpy(),
            rebuilt=filled[n, 0].numpy(),
            hidden=hidden[n, 0].numpy(),
            score=batch.score[n, 0].numpy(),
            caption=_class(store.classes, store.labels[i]) or store.names[i],
        )
        for n, i in enumerate(indices)
    ]


def view_saliency(
    run: Path, store: Store, out: Path, *, clip: str = "0", by: Group = "joint", of: str | None = None
) -> None:
    """Write what a recogniser's answer for a clip rests on, over joints and time (PNG, HTML).

    Args:
        run: A recognition run or its bundle.
        store: Clips on the same skeleton.
        out: Where to write.
        clip: Name or number.
        by: Whether single joints go out of sight or whole parts.
        of: The class to explain; the answer where not given.

    Raises:
        BundleError: The run holds no recogniser.
        DataError: There is no such clip, or the file cannot be written.
        SettingsError: There is no such class, or the file has another ending.
        SkeletonError: The store has other joints.
    """
    kind = ending(out, ".png", ".html")
    found = saliency(run, store, find_index(store, clip), by=by, of=of)
    one = "joint" if by == "joint" else "part of the body"
    note = f"Each {one} was put out of sight for a sixth of the time, and the probability of the answer watched."
    (draw_saliency if kind == ".png" else write_saliency)(found, store.skeleton, out, note=note)


def saliency(run: Path, store: Store, index: int, *, by: Group = "joint", of: str | None = None) -> Saliency:
    """What a recogniser's answer for one clip rests on; of several test windows, in the middle one."""
    model, card = load_recogniser(run)
    check_same(run, card, store)
    if of is not None and of not in card.classes:
        raise SettingsError(f"{run}: knows no class '{of}'. {did_you_mean(of, card.classes)}")
    s = card.input.change(views=1)
    batch = next(fixed_batches(store, [index], s))
    plain = sample_test(store, [index], s.frames, s.share, 1, s.persons)
    groups = list(store.skeleton.parts.values()) if by == "part" else [(v,) for v in range(len(store.skeleton))]
    label, probability, drop = occlude(
        lambda some: model(some).float().softmax(1), batch, groups, None if of is None else card.classes.index(of)
    )
    seen = plain.score[0].numpy() > 0
    there = np.flatnonzero(seen.any((1, 2))) if seen.any() else [0]
    length = int(store.frames[index])
    start = (1 - s.share) / 2 * length
    at = np.clip(np.rint(np.linspace(start, max(start, length - 1 - start), s.frames)), 0, length - 1).astype(int)
    rate = store.rates[index] if np.isfinite(store.rates[index]) else 25.0
    return Saliency(
        x=plain.x[0].numpy()[there],
        seen=seen[there],
        drop=drop[there],
        probability=probability,
        answer=card.classes[label],
        name=store.names[index],
        at=tuple(at.tolist()),
        rate=float(rate * s.frames / max(1, s.share * length)),
    )


def check_same(run: Path, card: Card, store: Store) -> None:
    """Make sure that a model knows the clips of a store as they are.

    Raises:
        SkeletonError: The joints or dimensions are other ones.
        SettingsError: The clips cannot be normalised as those it learned from.
    """
    if card.dims != store.dims or not same_joints(card, store):
        raise SkeletonError(
            f"{run}: the model knows {card.skeleton['name']} in {card.dims}-D, {store.path.name} holds "
            f"{store.skeleton.name} in {store.dims}-D. Use a store with the same joints."
        )
    check_input(card.input.normalise, store, before=str(run))


def ending(out: Path, *known: str) -> str:
    """The ending of a file that is to be written.

    Raises:
        SettingsError: It is none of those known.
    """
    if out.suffix.lower() not in known:
        raise SettingsError(f"{out}: what kind of picture? Let --out end in {' or '.join(known)}.")
    return out.suffix.lower()


def _class(classes: Sequence[str], label: int) -> str:
    return classes[label] if 0 <= label < len(classes) else ""
