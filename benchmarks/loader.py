"""Sampling and augmentation: our feed beside a loader that goes through a pipeline clip by clip, as the field writes it.

Both do the arithmetic of the preset `ossein` (a random window of each clip resampled to T frames, centred and scaled, mirrored,
rotated, enlarged, slanted, with noise); that both give the same batch from the same random numbers is checked first.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from clips import store_of
from field_loader import PoseDataset, annotations, batches, pipeline
from found import Result, Table, arguments, goal_table, table
from timing import Limit, Rates, machine_rates, side_by_side, threads
from training import objective, preset, take

from ossein.cli.allocator import hold_memory
from ossein.store import Store
from ossein.train import Feed, InputSettings
from ossein.train.optim import build_optimiser

BATCH = 32
FASTER, SHARE = 20, 0.1
"""What was set out for: so many times the clips of the field's loader, and at most so much of a step of training."""


def own_feed(store: Store, batch: int = BATCH) -> Feed:
    """Our feed with the settings of the preset."""
    s = preset(store, batch)
    # The preset mirrors where left and right are used alike, which clips without meaning do not say.
    return Feed(store, np.arange(len(store)), s.input, s.augment.change(mirror=0.5), batch, 0)


def field_dataset(store: Store, feed: Feed, *, transitions: bool) -> PoseDataset:
    """The field's loader with the same settings."""
    s: InputSettings = feed.input
    steps = pipeline(store.skeleton, s.frames, s.crop, s.persons, feed.augment, transitions=transitions)
    return PoseDataset(annotations(store), steps)


def difference(feed: Feed, dataset: PoseDataset) -> float:
    """The most that the two differ in a batch, in body sizes, when the field's loader is given the numbers of our draw."""
    batch, _ = feed.at(0)
    draw, num, augment = feed.draw(0), len(batch), feed.augment
    share, place = draw.uniform((num,)), draw.uniform((num,))
    mirror = draw.uniform((num, 1, 1, 1)).flatten()
    angle = draw.uniform((num, 1), -augment.rotate, augment.rotate)[:, 0]
    factor = draw.uniform((num, 1), 1 - augment.scale, 1 + augment.scale)[:, 0]
    slant = draw.uniform((num, 2, 2), -augment.shear, augment.shear)
    noise = draw.normal(tuple(batch.x.shape))
    worst = 0.0
    for n, index in enumerate(batch.index.tolist()):
        numbers = {
            "share": share[n].item(),
            "place": place[n].item(),
            "mirror": mirror[n].item(),
            "angle": angle[n].item(),
        }
        numbers |= {"factor": factor[n].item(), "slant": slant[n].double().numpy(), "noise": noise[n].double().numpy()}
        plain = dataset.infos[index]
        given = PoseDataset([{**plain, "numbers": numbers}], dataset.pipeline)[0][0]
        ours = torch.cat([batch.x[n], batch.score[n, ..., None]], -1).numpy()
        worst = max(worst, float(np.abs(ours - given).max()))
    return worst


def limit(frames: int, joints: int, dims: int, persons: int) -> Limit:
    """What a clip cannot do without: two stored neighbours of each frame read, numbers drawn, the batch written."""
    places = persons * frames * joints
    read, drawn, written = 2 * places * (dims + 1) * 2, places * dims * 4, places * (dims + 1) * 4
    # Interpolation, centring, three products with a matrix, noise; sizes of bodies, twice.
    flops = places * (3 * (dims + 1) + 2 * dims + 3 * dims * (2 * dims - 1) + 2 * dims + 2 * 4 * dims)
    return Limit(flops, read + 2 * drawn + written)


def draw_seconds(count: int, rounds: int) -> float:
    """Seconds that so many normal numbers take at the least: no batch with noise on its joints can be faster."""
    generator = torch.Generator().manual_seed(0)
    out = torch.empty(count)
    return side_by_side({"draw": lambda: out.normal_(generator=generator)}, rounds, repeats=20)["draw"].least


def compare(store: Store, clips: int, rounds: int, rates: Rates) -> tuple[Table, dict]:
    """The loaders side by side, each giving so many clips a round."""
    feed, taken = own_feed(store), list(range(clips))
    slow, quick = (field_dataset(store, feed, transitions=loop) for loop in (True, False))
    far = max(difference(feed, dataset) for dataset in (slow, quick))
    assert far < 1e-4, f"the loaders differ by {far}"

    def theirs(dataset: PoseDataset, workers: int) -> None:
        for _ in batches(dataset, BATCH, workers, taken):
            pass

    first, forked = "clip by clip, 0 workers", "clip by clip, 2 workers"
    # Apart, since a process that has forked pays with a page fault for every page that it writes to next: whoever had the
    # turn after the workers would be charged for them.
    workers = side_by_side({first: lambda: theirs(slow, 0), forked: lambda: theirs(slow, 2)}, rounds)[forked]
    alone = side_by_side(
        {
            first: lambda: theirs(slow, 0),
            "the same without PYSKL's loop over frames": lambda: theirs(quick, 0),
            "ossein, batches of 32": lambda: take(feed, clips),
        },
        rounds,
    )
    timings = {first: alone.pop(first), forked: workers, **alone}
    s = feed.input
    bound = limit(s.frames, len(store.skeleton), store.dims, s.persons)
    drawn = draw_seconds(BATCH * s.frames * len(store.skeleton) * store.dims, rounds) / BATCH
    note = (
        f"{clips} clips a round; from the same random numbers both give the same batch to {far:.0e} body sizes. A clip: "
        f"{bound.bytes / 1e3:.1f} kB to move take {1e6 * bound.bytes / rates.copy:.2f} us, {bound.flops / 1e3:.0f} kFLOP at the rate "
        f"of a product {1e6 * bound.flops / rates.flops:.2f} us, drawing its random numbers {1e6 * drawn:.1f} us, which nothing "
        f"that adds noise can do without: a limit of {1e6 * (drawn + bound.seconds(rates)):.1f} us, against "
        f"{1e6 * timings['ossein, batches of 32'].cpu / clips:.1f} us here. The "
        f"rest are some hundred passes over arrays in the cache, a fifth of it to measure bodies twice, as the preset asks."
    )
    made = table(f"{clips} clips, V = 17, T = {s.frames}, M = 1", timings, note=note)
    made.columns.append("clips per CPU s")
    for row, timing in zip(made.rows, timings.values(), strict=True):
        row.append(f"{clips / timing.cpu:,.0f}")
    return made, timings


def sizes(folder: Path, num: int, rounds: int) -> tuple[Table, dict]:
    """Our feed for other batches and other data."""
    plain = store_of(folder, num)
    gaps = store_of(folder, num, absent=0.05)
    depth = store_of(folder, num, skeleton="ntu-25", dims=3, persons=2)
    feeds = {
        "batches of 32": own_feed(plain),
        "batches of 128": own_feed(plain, 128),
        "batches of 1024": own_feed(plain, 1024),
        "batches of 32, 5 % of joints absent": own_feed(gaps),
        "batches of 32, V = 25, C = 3, M = 2": own_feed(depth),
    }
    timings = side_by_side({name: lambda feed=feed: take(feed, 1024) for name, feed in feeds.items()}, rounds)
    each = {name: timing.cpu / 1024 for name, timing in timings.items()}
    rows = [[name, f"{1e6 * took:.1f}", f"{1 / took:,.0f}"] for name, took in each.items()]
    return Table("Our feed elsewhere", ["", "CPU us a clip", "clips per CPU s"], rows), each


def share_of_step(store: Store, rounds: int) -> tuple[Table, dict]:
    """How much of a training step of the preset the feed takes."""
    s, feed = preset(store, BATCH), own_feed(store)
    method = objective(store, s).train()
    optimiser = build_optimiser(method, s.optim)
    batch, draw = feed.at(0)

    def train() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=s.train.precision == "bf16"):
            loss = method(batch, draw).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        method.after_step(0.5)

    steps = 512 // BATCH
    timings = side_by_side({"the rest of the step": train, "batches of 16 steps": lambda: take(feed)}, rounds)
    rest, batches_ = timings.values()
    # What the rest takes in times of the feed, median over rounds and quartiles, as shares of the whole.
    share, least, most = (1 / (1 + times * steps) for times in (batches_.ratio, *batches_.spread[::-1]))
    rows = [
        ["sampling and augmentation", f"{1e3 * batches_.cpu / steps:.2f}", f"{share:.1%} ({least:.1%}-{most:.1%})"],
        ["the rest of the step", f"{1e3 * rest.cpu:.1f}", f"{1 - share:.1%}"],
    ]
    note = f"{s.train.precision}, one thread."
    made = Table("A training step of the preset ossein, 32 clips", ["", "CPU ms", "of the step"], rows, note)
    return made, {**timings, "share": share}


def goals(timings: dict, share: float) -> Table:
    """What was set out for, and what was reached."""
    faster = timings["ossein, batches of 32"].ratio
    bare = faster / timings["the same without PYSKL's loop over frames"].ratio
    return goal_table(
        ("clips per CPU second, times the field's loader", f">= {FASTER}", f"{faster:.1f}", faster >= FASTER),
        ("the same beside that loader without its loop", f">= {FASTER}", f"{bare:.1f}", bare >= FASTER),
        ("share of a training step", f"<= {SHARE:.0%}", f"{share:.1%}", share <= SHARE),
    )


def main() -> None:
    parser = arguments(__doc__, rounds=9)
    parser.add_argument("--clips", type=int, default=512, help="clips a round")
    call = parser.parse_args()
    hold_memory()  # as the command line does
    result = Result("loader", "Sampling and augmentation")
    with tempfile.TemporaryDirectory() as name, threads(1):
        store = store_of(Path(name), 4096)
        made, timings = compare(store, call.clips, call.rounds, machine_rates(1))
        result.add(made, timings)
        result.add(*sizes(Path(name), 2048, call.rounds))
        made, numbers = share_of_step(store, call.rounds)
        result.add(made, numbers)
        result.add(goals(timings, numbers["share"]))
    result.write(call.out)


if __name__ == "__main__":
    main()
