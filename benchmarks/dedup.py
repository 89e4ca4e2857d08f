"""How well near-duplicates are found: real bedrooms, and copies of some of them planted among them.

    python benchmarks/dedup.py [--out FOLDER] [--json]

It needs the LMDBs bedroom_train_lmdb and bedroom_val_lmdb in the folder GANSKIT_REAL (~/.cache/ganskit-real by default). 500
of the pictures are planted again: a third as a JPEG of quality 60 to 80, a third shifted by two pixels (of 256; the edge is
repeated), a third 3 % brighter or darker. All are prepared as a 64x64 store and deduplicated with the default settings.

recall      share of planted copies within the radius of their original
strict      precision if every pair counts as wrong that was not planted
precision   pairs that were not planted and whose pixels say that they are copies count as neither right nor wrong: some
            photographs are there twice. Their root-mean-square difference, once brightness and contrast are made equal, is
            below ALIKE; all pairs that were not planted are listed, to be looked at
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import lmdb
import numpy as np
from attrs import frozen
from PIL import Image

from ganskit.data import Lsun, Store, hamming
from ganskit.data.duplicates import RADIUS
from ganskit.data.prepare import prepare
from ganskit.dedup import codes_of, dedup
from ganskit.evaluate.model import load

REAL = Path(os.environ.get("GANSKIT_REAL", "~/.cache/ganskit-real")).expanduser()
PLANTED = 500
KINDS = ("JPEG", "shifted", "brightness")
RADII = range(0, 13, 2)
ALIKE = 0.35


def originals() -> list[bytes]:
    """The files of all bedrooms."""
    values: list[bytes] = []
    for split in ("train", "val"):
        with (
            lmdb.open(str(REAL / f"bedroom_{split}_lmdb"), readonly=True, lock=False) as database,
            database.begin() as transaction,
        ):
            values += [bytes(value) for _, value in transaction.cursor()]
    return values


def copy(data: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """A near-duplicate."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    out = io.BytesIO()
    if kind == "JPEG":
        picture.save(out, "JPEG", quality=int(rng.integers(60, 81)))
        return out.getvalue()
    x = np.asarray(picture)
    if kind == "shifted":
        down, right = ((2, 0), (-2, 0), (0, 2), (0, -2))[rng.integers(4)]
        height, width = x.shape[:2]
        x = np.pad(x, ((2, 2), (2, 2), (0, 0)), "edge")[2 + down : 2 + down + height, 2 + right : 2 + right + width]
    else:
        x = (x * (1.03 if rng.integers(2) else 0.97)).round().clip(0, 255).astype(np.uint8)
    Image.fromarray(x).save(out, "PNG")
    return out.getvalue()


def plant(folder: Path) -> np.ndarray:
    """Write an LMDB as LSUN's of the bedrooms and, after them, of the copies; returns the place of each copy's original."""
    values, rng = originals(), np.random.default_rng(0)
    sources = np.sort(rng.choice(len(values), PLANTED, replace=False))
    values += [copy(values[source], KINDS[number % len(KINDS)], rng) for number, source in enumerate(sources)]
    folder.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(folder), map_size=2**30) as database, database.begin(write=True) as transaction:
        for place, value in enumerate(values):
            transaction.put(f"{place:040x}".encode(), value)
    return sources


@frozen
class Row:
    """One radius."""

    radius: int
    recall: float
    by_kind: tuple[float, ...]
    planted: int
    others: int
    copies: int

    @property
    def strict(self) -> float:
        """Every pair that was not planted is wrong."""
        return self.planted / max(1, self.planted + self.others)

    @property
    def precision(self) -> float:
        """Copies that nobody planted count as neither."""
        return self.planted / max(1, self.planted + self.others - self.copies)


def unlike(store: Store, i: int, j: int) -> float:
    """Root-mean-square difference of two pictures, each with mean 0 and standard deviation 1."""
    a, b = ((x - x.mean()) / (x.std() + 1e-6) for x in (store.arrays(k)["x"].astype(np.float64) for k in (i, j)))
    return float(np.sqrt(((a - b) ** 2).mean()))


def rows(store: Store, codes: np.ndarray, sources: np.ndarray) -> Iterator[Row | tuple[int, int, int, float]]:
    """The rows by radius, and before them every pair that was not planted: places, distance, difference in pixels."""
    num = len(store) - len(sources)
    copies = np.arange(num, len(store))
    apart = hamming.distance(codes[sources], codes[copies])
    found = zip(*hamming.pairs(codes, max(RADII)), strict=True)
    others = [(int(i), int(j)) for i, j in found if not (j >= num and sources[j - num] == i)]
    measured = [(i, j, int(hamming.distance(codes[i], codes[j])), unlike(store, i, j)) for i, j in others]
    yield from sorted(measured, key=lambda each: each[2:])
    for radius in RADII:
        within = apart <= radius
        near = [each for each in measured if each[2] <= radius]
        by_kind = tuple(float(within[kind :: len(KINDS)].mean()) for kind in range(len(KINDS)))
        num_alike = sum(each[3] < ALIKE for each in near)
        yield Row(radius, float(within.mean()), by_kind, int(within.sum()), len(near), num_alike)


@click.command()
@click.option(
    "--out", default="dedup-benchmark", show_default=True, type=click.Path(path_type=Path), help="Where everything goes."
)
@click.option("--samples", type=int, help="Pictures to train on.  [default: as `ganskit data dedup`]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(out: Path, samples: int | None, as_json: bool) -> None:
    """Plant copies, deduplicate, and count."""
    sources = plant(out / "bedroom_train_lmdb")
    store = prepare(Lsun(path=str(out / "bedroom_train_lmdb"), size=64))
    run = out / "run"
    report = dedup(store, samples=samples, out=out / f"dedup{RADIUS}", run_path=run, progress=not as_json)
    found = list(rows(store, codes_of(load(run), store), sources))
    table = [each for each in found if isinstance(each, Row)]
    others = [each for each in found if not isinstance(each, Row)]
    if as_json:
        figures = {"recall": table, "strict": table, "precision": table}
        click.echo(
            json.dumps({name: {row.radius: round(getattr(row, name), 4) for row in each} for name, each in figures.items()})
        )
        return
    click.echo(f"Left out: {report.num_removed:,} of {report.num_examples:,}. {report.folder / 'collisions.png'}")
    click.echo(f"Pairs that were not planted, within {max(RADII)}: places, distance, difference in pixels")
    for i, j, apart, pixels in others:
        click.echo(f"  {i:5} {j:5} {apart:3} {pixels:6.3f}{'  alike' if pixels < ALIKE else ''}")
    click.echo(f"radius  recall  {'  '.join(KINDS)}  planted  others  alike  strict  precision")
    for row in table:
        kinds = "  ".join(f"{value:{len(name)}.3f}" for name, value in zip(KINDS, row.by_kind, strict=True))
        click.echo(
            f"{row.radius:6}  {row.recall:6.3f}  {kinds}  {row.planted:7}  {row.others:6}  {row.copies:5}  {row.strict:6.4f}  "
            f"{row.precision:9.4f}"
        )


if __name__ == "__main__":
    main()
