"""Recipes."""

from ganskit import Adam, Noise, Recipe, TwoPlayer, use
from my_gan.losses import LeastSquares


def rooms() -> Recipe:
    """This plugin's loss and generator against DCGAN's discriminator, on rooms that ganskit draws."""
    return Recipe(
        name="my-gan-rooms",
        game=TwoPlayer(
            loss=LeastSquares(),
            noise=Noise(dim=100, prior="normal"),
            G_opt=Adam(lr=5e-4, beta1=0.5),
            D_opt=Adam(lr=2e-4, beta1=0.5),
        ),
        nets={"G": use("my-gan.generator", width=32), "D": use("dcgan.discriminator", width=32)},
        data=use("rooms", size=64),
        batch_size=32,
        samples=100_000,
        ema=0.99,
        paper="Mao et al. 2017, arXiv 1611.04076: its loss, on drawn bedrooms",
    )
