"""`ganskit import`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("import")
@click.argument("what", type=click.Choice(["dcgan-authors"]))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [default: runs/dcgan-authors-svhn-001]")
def command(what: str, folder: Path, out: Path | None) -> None:
    """Make a run of published weights in FOLDER.

    dcgan-authors: the DCGAN authors' SVHN networks, from github.com/Newmu/dcgan_code, folder
    models/svhn_unsup_all_conv_dcgan_100z_gaussian_lr_0.0005_64mb (18 .npy files).
    """
    from ganskit.dcgan.authors import import_run

    path = import_run(folder, out)
    click.echo(f"{path}: draw samples with: ganskit sample {path}")
