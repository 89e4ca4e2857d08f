"""How fast data are prepared, read and opened: ganskit, torchvision, and the plain loop over PIL, in one run, alternating.

    python benchmarks/data.py [--json] [--quick] [--rounds 3] [--real FOLDER]

The pictures are bedrooms of 256 x 256 in LSUN's LMDB format (bedroom_train_lmdb in --real, or GANSKIT_REAL), and the same
encoded as JPEG files, each four times, so that starting does not count too much; they become 64 x 64. All are read once before
each side, so that none waits for the disk. Each side that has workers has as many as there are cores.

ganskit      `prepare`, from starting its worker processes to the finished store; JPEG with reduced-scale decoding
torchvision  its LSUN or ImageFolder in a DataLoader of batches of 128, with the transforms of PyTorch's DCGAN example:
             Resize, CenterCrop, ToTensor, Normalize; with ganskit's filter, bicubic, and with its own default, bilinear
pil          open, crop, resize, to an array: one process
reading      128 random examples at a time: ganskit's store; torchvision decodes them again
opening      a synthetic store of 3,000,000 pictures in a fresh process: seconds and memory, imports included
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import lmdb
import numpy as np
import torch
from attrs import evolve
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from ganskit.data import Folder, Lsun, Portraits, Store
from ganskit.data.guards import num_cores
from ganskit.data.manifest import Manifest
from ganskit.data.prepare import ROWS_PER_SHARD, prepare
from ganskit.data.shards import file_of

SIZE, BATCH, REPEATS = 64, 128, 4
NUM_OPENED = 3_000_000
_OPEN = """
import sys, time
def peak():  # Linux; the maximum that getrusage gives begins with the parent's
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before, started = peak(), time.perf_counter()
import ganskit.data
store = ganskit.data.open(sys.argv[1])
print(len(store), time.perf_counter() - started, peak() - before)
"""
_PREPARE = """
import time
from ganskit.data import Folder, Lsun
from ganskit.data.prepare import prepare
if __name__ == "__main__":
    started = time.perf_counter()
    print(len(prepare({dataset!r}, progress=False)) / (time.perf_counter() - started))
"""


def lmdb_of(pictures: Iterator[bytes], folder: Path) -> None:
    """A database as LSUN's."""
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=1 << 34) as environment, environment.begin(write=True) as transaction:
        for index, data in enumerate(pictures):
            transaction.put(b"%040x" % index, data)


def encoded(picture: Image.Image, kind: str) -> bytes:
    """The bytes of a picture file as LSUN and most photographs have it."""
    stream = io.BytesIO()
    picture.save(stream, kind, quality=90)
    return stream.getvalue()


def originals(real: Path, work: Path, quick: bool) -> None:
    """WORK/bedroom_train_lmdb with WebP values, copies for torchvision, and WORK/jpeg/class with the same as JPEG files."""
    database = work / "bedroom_train_lmdb"
    if quick:
        drawn = Portraits(num_images=100, size=128).open()
        pictures = (Image.fromarray(drawn.read(i)["x"].transpose(1, 2, 0)) for i in range(len(drawn)))
        lmdb_of((encoded(picture, "WEBP") for picture in pictures), database)
    else:
        with lmdb.open(str(real / database.name), readonly=True, lock=False) as opened, opened.begin() as transaction:
            values = [bytes(value) for _, value in transaction.cursor()]
        lmdb_of(iter(values * REPEATS), database)
    # under another path, because LMDB opens one only once in a process, and torchvision writes a cache of keys beside it
    for folder in ("torchvision", "torchvision-default"):
        shutil.copytree(database, work / folder / database.name)
    (work / "jpeg" / "class").mkdir(parents=True)
    with lmdb.open(str(database), readonly=True, lock=False) as environment, environment.begin() as transaction:
        for index, (_, data) in enumerate(transaction.cursor()):
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            (work / "jpeg" / "class" / f"{index:06}.jpg").write_bytes(encoded(picture, "JPEG"))


def bring_to_memory(folder: Path) -> None:
    """Read all files once: the side that comes first must not be the one that waits for the disk."""
    for file in folder.rglob("*.*"):
        with file.open("rb") as stream:
            while stream.read(2**24):
                pass


def ours(dataset: Folder | Lsun, work: Path) -> float:
    """Prepare into an empty data folder; pictures per second. In a process of its own: workers import what that one has."""
    shutil.rmtree(work / "home", ignore_errors=True)
    command = [sys.executable, "-c", _PREPARE.format(dataset=dataset)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def theirs(dataset: torch.utils.data.Dataset, shuffle: bool = False) -> int:
    """Go through a torchvision dataset once."""
    return sum(len(x) for x, _ in DataLoader(dataset, BATCH, shuffle=shuffle, num_workers=num_cores()))


def pil(pictures: Iterator[bytes | Path]) -> int:
    """One process, nothing else."""
    count = 0
    for each in pictures:
        with Image.open(each if isinstance(each, Path) else io.BytesIO(each)) as opened:
            np.asarray(opened.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        count += 1
    return count


def reading(store: Store, batches: int, seed: int = 0) -> int:
    """Batches in random order, scaled to [-1, 1] as a game gets them."""
    order = np.random.default_rng(seed).integers(0, len(store), (batches, BATCH))
    for indices in order:
        store.gather(indices)["x"].to(torch.float32).div_(127.5).sub_(1)
    return batches * BATCH


def rate(work: Callable[[], int]) -> float:
    """Pictures per second."""
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)


def synthetic(folder: Path, like: Manifest, count: int) -> None:
    """A whole store of `count` pictures whose shards are holes in the disk: right in name and size, and empty."""
    shard = evolve(like.shards[0], skipped=(), rows=ROWS_PER_SHARD, bytes=ROWS_PER_SHARD * SIZE * SIZE * 3 + 100)
    numbers = range(-(-count // ROWS_PER_SHARD))
    rows = [min(ROWS_PER_SHARD, count - number * ROWS_PER_SHARD) for number in numbers]
    shards = tuple(evolve(shard, file=file_of(folder, n).name, rows=r) for n, r in zip(numbers, rows, strict=True))
    folder.mkdir()
    for each in shards:
        with (folder / each.file).open("wb") as stream:
            stream.truncate(each.bytes)
    evolve(like, shards=shards, num_examples=count).save(folder)


def opening(folder: Path, like: Manifest, count: int) -> tuple[float, float]:
    """Seconds and bytes that opening takes in a fresh process."""
    synthetic(folder, like, count)
    done = subprocess.run([sys.executable, "-c", _OPEN, str(folder)], capture_output=True, text=True, check=True)
    found, seconds, memory = done.stdout.split()
    assert int(found) == count
    return float(seconds), float(memory)


def measure(work: Path, rounds: int, count: int) -> dict[str, float]:
    """The figures: pictures per second, and ratios of medians over alternating rounds."""
    os.environ["GANSKIT_DATA"] = str(work / "home")

    def usual(*resize: transforms.Resize) -> transforms.Compose:
        scaled = transforms.Normalize([0.5] * 3, [0.5] * 3)
        return transforms.Compose([*resize, transforms.CenterCrop(SIZE), transforms.ToTensor(), scaled])

    bicubic = usual(transforms.Resize(SIZE, transforms.InterpolationMode.BICUBIC))
    default = usual(transforms.Resize(SIZE))
    database, jpeg = work / "bedroom_train_lmdb", work / "jpeg"
    lsun, folder = Lsun(path=str(database), size=SIZE), Folder(path=str(jpeg), size=SIZE, reduced=True)
    tv_lsun = datasets.LSUN(str(work / "torchvision"), classes=["bedroom_train"], transform=bicubic)
    tv_folder = datasets.ImageFolder(str(jpeg), transform=bicubic)
    tv_folder_default = datasets.ImageFolder(str(jpeg), transform=default)
    tv_lsun_default = datasets.LSUN(str(work / "torchvision-default"), classes=["bedroom_train"], transform=default)
    files = sorted(jpeg.rglob("*.jpg"))

    def values() -> Iterator[bytes]:
        with lmdb.open(str(database), readonly=True, lock=False) as environment, environment.begin() as transaction:
            yield from (value for _, value in transaction.cursor())

    sides: dict[str, tuple[Path, Callable[[], float]]] = {
        "webp_ganskit": (database, lambda: ours(lsun, work)),
        "webp_torchvision": (work / "torchvision", lambda: rate(lambda: theirs(tv_lsun))),
        "webp_torchvision_default": (work / "torchvision-default", lambda: rate(lambda: theirs(tv_lsun_default))),
        "webp_pil": (database, lambda: rate(lambda: pil(values()))),
        "jpeg_ganskit": (jpeg, lambda: ours(folder, work)),
        "jpeg_torchvision": (jpeg, lambda: rate(lambda: theirs(tv_folder))),
        "jpeg_torchvision_default": (jpeg, lambda: rate(lambda: theirs(tv_folder_default))),
        "jpeg_pil": (jpeg, lambda: rate(lambda: pil(iter(files)))),
    }
    rates: dict[str, list[float]] = {name: [] for name in (*sides, "read_ganskit", "read_torchvision")}
    for _ in range(rounds):
        for name, (needed, side) in sides.items():
            bring_to_memory(needed)
            rates[name].append(side())
        store = prepare(lsun, progress=False)
        reading(store, 2)
        rates["read_ganskit"].append(rate(lambda store=store: reading(store, 100)))
        rates["read_torchvision"].append(rate(lambda: theirs(tv_lsun, shuffle=True)))
    median = {name: statistics.median(each) for name, each in rates.items()}
    seconds, memory = opening(work / "large", store.manifest, count)
    return median | {
        "webp_ratio": median["webp_ganskit"] / median["webp_torchvision"],
        "webp_ratio_to_default": median["webp_ganskit"] / median["webp_torchvision_default"],
        "jpeg_ratio": median["jpeg_ganskit"] / median["jpeg_torchvision"],
        "jpeg_ratio_to_default": median["jpeg_ganskit"] / median["jpeg_torchvision_default"],
        "read_ratio": median["read_ganskit"] / median["read_torchvision"],
        "open_s": seconds,
        "open_mb": memory / 1e6,
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--quick", is_flag=True, help="A few drawn pictures: a check that the benchmark itself works.")
@click.option("--rounds", default=3, show_default=True, help="How often each side is timed.")
@click.option("--real", type=click.Path(path_type=Path), help="The folder with bedroom_train_lmdb.  [default: GANSKIT_REAL]")
def main(as_json: bool, quick: bool, rounds: int, real: Path | None) -> None:
    """Time preparing, reading and opening."""
    warnings.filterwarnings("ignore", category=UserWarning, module="torch")
    real = real or Path(os.environ.get("GANSKIT_REAL", "~/.cache/ganskit-real")).expanduser()
    with tempfile.TemporaryDirectory() as work, contextlib.chdir(work):  # torchvision writes a cache where it is started
        originals(real, Path(work), quick)
        figures = measure(Path(work), 1 if quick else rounds, NUM_OPENED)
    if as_json:
        click.echo(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        return
    for name, value in figures.items():
        click.echo(f"{name:<20} {value:12,.3f}")


if __name__ == "__main__":
    main()
