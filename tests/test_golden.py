"""Golden losses: a change that means to leave the numbers alone leaves them alone, bit by bit.

In float32 on one thread. On the processor and torch they were written with, they must be equal; elsewhere, close.
Write them anew, and say in the commit why, with: python tests/test_golden.py
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch

from ganskit import evolve
from ganskit.data.prepare import prepare
from ganskit.engine.device import processor
from ganskit.engine.engine import Engine
from ganskit.engine.run import dealer

FILE = Path(__file__).parent / "golden.json"
GAMES = ("wgan_gp", "unrolled", "progan", "cyclegan", "dcgan")
ROUNDS = 6


def environment() -> str:
    return f"torch {torch.__version__.split('+')[0]}, {processor(torch.device('cpu'))}"


def losses(game: str) -> list[dict[str, str]]:
    """Every loss of every round, as hexadecimal floats."""
    recipe = evolve(importlib.import_module(game).recipe(), precision="fp32")
    store = prepare(recipe.data, progress=False)
    engine = Engine(recipe, store.fields, dealer(store, recipe.seed))
    rounds = []
    for _ in range(ROUNDS):
        engine.play_round()
        rounds.append({name: float(loss).hex() for name, loss in sorted(engine.losses.items())})
    return rounds


@pytest.mark.parametrize("game", GAMES)
def test_losses_are_the_golden_ones(game: str) -> None:
    golden = json.loads(FILE.read_text())
    found, expected = losses(game), golden["losses"][game]
    if golden["environment"] == environment():
        assert found == expected
    for now, then in zip(found, expected, strict=True):
        assert {n: float.fromhex(x) for n, x in now.items()} == pytest.approx(
            {n: float.fromhex(x) for n, x in then.items()}, rel=1e-2, abs=1e-3
        )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent / "games"))
    torch.set_num_threads(1)
    table = {"environment": environment(), "losses": {game: losses(game) for game in GAMES}}
    FILE.write_text(json.dumps(table, indent=1) + "\n")
