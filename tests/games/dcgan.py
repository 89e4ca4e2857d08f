"""The paper's game and nets, very small."""

from __future__ import annotations

from ganskit import Adam, Recipe, TwoPlayer

from toys import Blobs, tiny_nets


def recipe() -> Recipe:
    """As in dcgan-lsun, but for the sizes."""
    adam = Adam(weight_decay=1e-5)
    game = TwoPlayer(order="GD", G_opt=adam, D_opt=adam)
    return Recipe(name="dcgan", game=game, nets=tiny_nets(), data=Blobs(), batch_size=8, samples=96, ema=0.9)
