"""The authors' published SVHN networks as a run: the proof that our nets are theirs.

Their files are in github.com/Newmu/dcgan_code under models/svhn_unsup_all_conv_dcgan_100z_gaussian_lr_0.0005_64mb:
one .npy array per parameter, in the order of svhn/svhn_semisup_analysis.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganskit.engine.engine import build_nets
from ganskit.engine.run import save_run
from ganskit.errors import UserError
from ganskit.game import Nets
from ganskit.recipe import Recipe, named

GENERATOR = (
    "linear.weight", "norm.weight", "norm.bias", "blocks.0.0.weight", "blocks.0.1.weight", "blocks.0.1.bias",
    "blocks.1.0.weight", "blocks.1.1.weight", "blocks.1.1.bias", "out.weight",
)  # fmt: skip
DISCRIMINATOR = (
    "blocks.0.0.weight", "blocks.1.0.weight", "blocks.1.1.weight", "blocks.1.1.bias",
    "blocks.2.0.weight", "blocks.2.1.weight", "blocks.2.1.bias", "linear.weight",
)  # fmt: skip


def import_run(folder: Path, out: Path | None = None) -> Path:
    """Make a run directory of the arrays in `folder` and return it. Raises UserError, naming the file that is wrong."""
    recipe = named("dcgan-svhn")
    return save_run(recipe, load_nets(recipe, folder), "dcgan-authors-svhn", out)


def load_nets(recipe: Recipe, folder: Path) -> Nets:
    """The SVHN recipe's nets with the authors' weights."""
    nets = build_nets(recipe, recipe.data.provides())
    with torch.no_grad():
        for net, stem, paths in (("G", "200_gen_params", GENERATOR), ("D", "200_discrim_params", DISCRIMINATOR)):
            state = nets[net].state_dict(keep_vars=True)
            for number, path in enumerate(paths, start=1):
                state[path].copy_(_read(folder / f"{stem}.jl_{number:02}.npy", state[path].shape))
    return nets


def _read(file: Path, shape: torch.Size) -> torch.Tensor:
    """One array in our orientation: matrices transposed, kernels flipped (theirs convolve, torch's correlate)."""
    try:
        array = torch.from_numpy(np.load(file, allow_pickle=False).astype(np.float32))
    except FileNotFoundError:
        raise UserError(f"{file} is missing: expected the folder with the authors' .npy arrays, 10 of G and 8 of D.") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{file} is not an .npy array of numbers: download it again.") from error
    ours = array.flip(2, 3) if array.ndim == 4 else array.T.contiguous() if array.ndim == 2 else array
    if ours.shape != shape:
        raise UserError(f"{file} has shape {tuple(array.shape)}, which does not fit the net's {tuple(shape)}.")
    return ours
