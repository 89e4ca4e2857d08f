"""How much better D knows the rooms it was trained on than others: python overfitting.py RUN...

Prints D's mean logit for 500 rooms of the training set, 500 held-out and 500 generated ones, as D sees them in training, and
the gap: how far held-out rooms are from training rooms, on the way to generated ones. 0 is no overfitting; at 1 D
takes a new room for a generated one.
"""

from __future__ import annotations

import sys

import torch
from distance import held_out

from ganskit import Batch, Model, TwoPlayer, load

NUM = 500


@torch.no_grad()
def gap(model: Model) -> dict[str, float]:
    """The numbers of one run, for G and D themselves and not their averages."""
    game = model.recipe.game
    assert isinstance(game, TwoPlayer)
    shown = {"train": model.real(NUM)["x"], "held_out": held_out(model, NUM), "fake": model.sample(NUM)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        logits = {name: game.judge(model.nets, x, Batch({})).mean().item() for name, x in shown.items()}
    return logits | {"gap": (logits["train"] - logits["held_out"]) / (logits["train"] - logits["fake"])}


if __name__ == "__main__":
    for run in sys.argv[1:]:
        print(run, *(f"{name} {value:.2f}" for name, value in gap(load(run, ema=False)).items()))
