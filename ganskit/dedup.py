"""Near-duplicates from end to end: train the recipe dcgan-dedup on a store, code its pictures, leave some out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ganskit.data.duplicates import MAX_RADIUS, RADIUS, Duplicates
from ganskit.data.guards import locked
from ganskit.data.hamming import packed_codes
from ganskit.data.prepared import Prepared
from ganskit.data.store import Store
from ganskit.errors import UserError
from ganskit.evaluate.model import Model, load
from ganskit.recipe import Recipe, evolve, named
from ganskit.train import run

EPOCHS, LEAST, MOST = 10, 400_000, 1_000_000
"""The budget: so many epochs, but at least and at most so many samples; minutes on two CPU cores."""
_AT_ONCE = 2**24
"""Bytes of pictures that are coded at once."""


def dedup(
    store: Store,
    radius: int = RADIUS,
    *,
    samples: int | None = None,
    out: str | Path | None = None,
    run_path: str | Path | None = None,
    device: str = "auto",
    progress: bool = True,
) -> Duplicates:
    """Leave the near-duplicates of a store out; the `folder` of what is returned is the new store.

    `radius` is in bits of 128. `samples` is the budget of the training in `run_path` (runs/dedup-NAME by default), which goes
    on or is reused if it is there. `out` is by default NAME-dedupRADIUS beside the store. The same call again returns what is
    there.
    Raises UserError for a store without pictures of at least 32x32, and when `out` holds something else.
    """
    check(store, radius)
    recipe = recipe_for(store, samples)
    name = store.path.resolve().name
    folder = Path(out) if out is not None else store.path.resolve().with_name(f"{name}-dedup{radius}")
    parameters = {"radius": radius, "samples": recipe.samples, "content": store.manifest.content}
    with locked(folder, progress):
        there = Duplicates.earlier(folder, parameters)
        if there:
            return there
        where = Path(run_path) if run_path is not None else Path("runs") / f"dedup-{name}"
        model = load(run(recipe, out=where, resume=True, device=device, progress=progress), device=device)
        return Duplicates.leave_out(store, codes_of(model, store, progress), radius, folder, parameters, progress)


def check(store: Store, radius: int) -> None:
    """Raise UserError for a store in which no near-duplicates can be found, and for a radius out of range."""
    x = store.fields.get("x")
    if x is None or not x.pixels or len(x.shape) != 3 or x.shape[0] not in (1, 3):
        has = ", ".join(f"{name} {each.shape}" for name, each in store.fields.items())
        raise UserError(f"{store.path} has no pictures x (3 or 1, H, W): it has {has}. Near-duplicates are found among pictures.")
    if len(store) < 2:
        raise UserError(f"{store.path} has {len(store)} picture: expected 2 or more.")
    if not 0 <= radius <= MAX_RADIUS:
        raise UserError(f"radius is {radius}: expected 0 to {MAX_RADIUS} of 128 bits.")


def recipe_for(store: Store, samples: int | None = None) -> Recipe:
    """The recipe dcgan-dedup on this store."""
    budget = min(max(EPOCHS * len(store), LEAST), MOST) if samples is None else samples
    recipe = evolve(named("dcgan-dedup"), data=Prepared.at(store.path.resolve()), samples=budget)
    recipe.game.shapes(recipe.data.provides())  # raises UserError for pictures that are too small
    return recipe


@torch.no_grad()
def codes_of(model: Model, store: Store, progress: bool = False) -> np.ndarray:
    """The codes uint64 (N, 2) of all pictures of a store: which of the 128 units are on."""
    game = model.recipe.game
    if not hasattr(game, "code"):
        raise UserError(f'"{model.recipe.name}" gives no codes: expected a run of the recipe dcgan-dedup.')
    step = max(1, min(1024, _AT_ONCE // int(np.prod(store.fields["x"].shape))))
    codes = []
    with tqdm(total=len(store), desc="Codes", unit=" images", disable=None if progress else True) as bar:
        for start in range(0, len(store), step):
            x = store.gather(range(start, min(start + step, len(store))), ["x"])["x"].to(model.device)
            on = game.code(model.nets, x.float().div_(127.5).sub_(1.0)) > 0
            codes.append(packed_codes(on.cpu().numpy()))
            bar.update(len(x))
    return np.concatenate(codes)
