"""Training a detector once for each size of pictures, and finding it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from attrs import evolve

from ganskit.data.guards import locked
from ganskit.data.home import data_home
from ganskit.data.rooms.boxes import BLURS, KINDS, RoomBoxes, blurred
from ganskit.engine.sampling import as_input
from ganskit.evaluate.kept import kept, noted
from ganskit.evaluate.model import Model
from ganskit.evaluate.rooms.detector import Detector, measured
from ganskit.evaluate.rooms.game import NET, recipe
from ganskit.optim import Adam, Decay
from ganskit.recipe import Recipe, to_table

VERSION = 2
"""Changes whenever the same options would give another network, so that it is trained anew."""
FRESH_ROOMS, FRESH_SEED = 500, 2_000_003
"""Rooms of another seed, on which its quality is measured, and which are then blurred."""
NOTE = "detector.json"


def detector(size: int, *, samples: int | None = None, progress: bool = True, device: str = "auto") -> Detector:
    """A network that finds windows, beds and more in rooms, size x size pixels: trained when it is first asked for, and kept.

    `samples` is the training's budget (None: 50,000, about two minutes on two CPU cores). What is trained is a run in the folder
    `learned` of ganskit's data folder, which goes on where it was interrupted; one process trains, and others wait for it.

    Raises UserError, RunFailed, or Interrupted.
    """
    chosen = recipe_for(size, samples)
    folder = data_home() / "learned" / chosen.name
    with locked(folder, progress):
        return _finished(kept(chosen, folder, (folder / NOTE).is_file(), device, progress), size, folder)


def recipe_for(size: int, samples: int | None = None) -> Recipe:
    """What is trained; its name says which options it is for. A small budget has few rooms. Raises UserError."""
    base = recipe()
    budget = samples or base.samples
    assert isinstance(base.data, RoomBoxes)
    rooms = evolve(base.data, num_images=min(base.data.num_images, max(64, budget // 10)), size=size)
    opt = Adam(lr=2e-3, beta1=0.9, schedule=Decay(budget // 2, budget))
    made = evolve(base, name="detector", data=rooms, samples=budget, game=evolve(base.game, opt=opt))  # type: ignore[call-arg]  # a Detection
    digest = hashlib.sha256(json.dumps([VERSION, rooms.open().fingerprint, to_table(made)], sort_keys=True).encode()).hexdigest()
    return evolve(made, name=f"detector-rooms{size}-{digest[:12]}")


def _finished(model: Model, size: int, folder: Path) -> Detector:
    """The detector with what is noted of it."""
    shape = model.recipe.data.provides()["x"].shape
    made = Detector(net=model.nets[NET], kinds=KINDS, shape=shape, quality={}, protocol={}, device=model.device)

    def measure() -> dict[str, Any]:
        fresh = RoomBoxes(num_images=min(FRESH_ROOMS, max(8, model.samples // 100)), size=size, seed=FRESH_SEED)
        return {"protocol": _protocol(model, fresh, folder), "quality": _quality(made, fresh)}

    note = noted(folder / NOTE, model, {"quality"}, measure)
    return evolve(made, quality=note["quality"], protocol=note["protocol"])


def _protocol(model: Model, fresh: RoomBoxes, folder: Path) -> dict[str, Any]:
    rooms = model.recipe.data
    assert isinstance(rooms, RoomBoxes)
    return {
        "network": folder.name,
        "samples": model.samples,
        "num_pictures": rooms.num_images,
        "blur_every": rooms.blur_every,
        "num_fresh_rooms": fresh.num_images,
        "fresh_seed": fresh.seed,
        "sha256": model.identity["weights_sha256"],
    }


def _quality(made: Detector, fresh: RoomBoxes) -> dict[str, dict[str, float]]:
    """Precision and recall by kind on fresh rooms, and in what share of them it still finds one when they are blurred."""
    source = fresh.open()
    rooms = [source.read(i) for i in range(fresh.num_images)]
    x = torch.stack([torch.from_numpy(room["x"]) for room in rooms])
    blurs = torch.stack([torch.from_numpy(blurred(room["x"], BLURS[i % len(BLURS)])) for i, room in enumerate(rooms)])
    found, in_blurs = (made(as_input(fresh.provides()["x"], each)) for each in (x, blurs))
    true = [
        {kind: torch.from_numpy(room["boxes"][room["kinds"] == 1 + i]) for i, kind in enumerate(made.kinds)} for room in rooms
    ]
    shares = {kind: sum(any(f.kind == kind for f in each) for each in in_blurs) / len(in_blurs) for kind in made.kinds}
    return {kind: each | {"in_blurs": shares[kind]} for kind, each in measured(found, true, made.kinds).items()}
