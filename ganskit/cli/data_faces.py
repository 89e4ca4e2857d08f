"""`ganskit data faces`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganskit.data.faces.detectors import Detector
    from ganskit.data.faces.search import Found

SMALLEST = 8
NUM_UNREADABLE_SHOWN = 10


@click.command("faces")
@click.argument("photographs", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--size", default=64, show_default=True, type=click.IntRange(1), help="Pixels on a side in the store.")
@click.option("--channels", default=3, show_default=True, type=click.IntRange(1), help="3 or 1 (grey).")
@click.option("--detector", default="haar", show_default=True, type=click.Choice(["haar", "yunet"]), help="OpenCV's detector.")
@click.option("--model", type=click.Path(path_type=Path), help="YuNet's .onnx file.")
@click.option(
    "--min-face",
    type=click.IntRange(SMALLEST),
    help="Least side of a face, in the photograph's pixels.  [default: --size: none is enlarged]",
)
@click.option(
    "--margin", default=0.0, show_default=True, type=click.FloatRange(0, 5), help="Added on each side, as a share of it."
)
@click.option(
    "--sure", type=float, help="More than so many windows must agree (haar); the least score (yunet).  [default: 5; 0.9]"
)
@click.option("--workers", type=click.IntRange(1), help="Processes that look.  [default: one per core]")
def command(
    photographs: Path,
    size: int,
    channels: int,
    detector: str,
    model: Path | None,
    min_face: int | None,
    margin: float,
    sure: float | None,
    workers: int | None,
) -> None:
    """Find the faces in a FOLDER of photographs (or a .zip), and cut them out into a store.

    As in section 4.2 of the DCGAN paper. Writes faces.csv, the table of boxes, and faces.png, photographs with their
    boxes drawn: look at it. A box is a square; with its margin it is shifted to stay inside the photograph. May be
    interrupted at any time; the same command goes on where it was.
    """
    from attrs import evolve

    from ganskit.cli.data_info import summary
    from ganskit.data.boxes import Crops
    from ganskit.data.faces.looking import Wanted
    from ganskit.data.faces.search import find
    from ganskit.data.prepare import prepare

    crops = Crops(path=str(photographs), size=size, channels=channels, name="faces")
    wanted = Wanted(_detector(detector, model, sure), min_face or max(SMALLEST, size), margin)
    try:
        found = find(photographs, wanted, workers=workers)
        click.echo(_report(found, wanted.least))
        store = prepare(evolve(crops, table=str(found.table)), workers=workers)
    except KeyboardInterrupt:
        click.echo("\nWhat is finished is kept: the same command goes on from there.", err=True)
        raise
    click.echo(f"{summary(store)}\nNext: ganskit run dcgan-faces --data {store.path}")


def _detector(name: str, model: Path | None, sure: float | None) -> Detector:
    from ganskit.data.faces.detectors import Haar, YuNet
    from ganskit.errors import UserError

    if name == "haar":
        if model is not None:
            raise UserError("--model is YuNet's: add --detector yunet. The cascade comes with OpenCV.")
        return Haar() if sure is None else Haar(int(sure) if sure.is_integer() else sure)  # type: ignore[arg-type]  # refused there
    if model is None:
        raise UserError(
            "--detector yunet needs --model, the file face_detection_yunet_2023mar.onnx: "
            "get it from OpenCV's model zoo, github.com/opencv/opencv_zoo."
        )
    return YuNet.load(model) if sure is None else YuNet.load(model, sure)


def _report(found: Found, least: int) -> str:
    from ganskit.data.files import printable

    counts = found.counts
    rows = {
        "photographs": counts.photographs,
        "  without a face": counts.without,
        "  with one": counts.with_one,
        "  with several": counts.with_several,
        "  unreadable": counts.unreadable,
        "faces": counts.faces,
        f"below {least} pixels": counts.too_small,
    }
    lines = [f"{name:<20}{number:>12,}" for name, number in rows.items()]
    shown = list(found.unreadable.items())[:NUM_UNREADABLE_SHOWN]
    lines += [f"unreadable: {printable(file)}: {printable(reason)}" for file, reason in shown]
    more = len(found.unreadable) - len(shown)
    lines += [f"and {more:,} more unreadable ones, all in {found.folder / 'report.json'}"] if more else []
    return "\n".join([*lines, f"table  {found.table}", f"sheet  {found.sheet}"])
