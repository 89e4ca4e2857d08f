"""The DCGAN paper's experiments as recipes. Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with
Deep Convolutional Generative Adversarial Networks", arXiv 1511.06434; numbers the paper leaves open are from the
authors' published code.
"""

from __future__ import annotations

from ganskit.dcgan import claims
from ganskit.game import Architecture, Noise
from ganskit.optim import Adam
from ganskit.recipe import Recipe, evolve, use
from ganskit.two_player import TwoPlayer

PAPER = "Radford, Metz & Chintala 2016, arXiv 1511.06434"

# "All models were trained with mini-batch stochastic gradient descent (SGD) with a mini-batch size of 128" (section 4)
BATCH_SIZE = 128
# l2 = 1e-5 on every parameter, in the authors' code
ADAM = Adam(lr=2e-4, beta1=0.5, weight_decay=1e-5)
SVHN_ADAM = evolve(ADAM, lr=5e-4)

LSUN_BEDROOMS = 3_033_042
FACES = 350_000
IMAGENET = 1_281_167
SVHN_WITHOUT_VALIDATION = 63_257
CIFAR10 = 50_000
MNIST = 60_000


def _game(noise: Noise, adam: Adam = ADAM) -> TwoPlayer:
    """Non-saturating; G moves first; every minibatch trains one of the two."""
    return TwoPlayer(noise=noise, order="GD", G_opt=adam, D_opt=adam)


def _nets(**options: int) -> dict[str, Architecture]:
    return {"G": use("dcgan.generator", None, **options), "D": use("dcgan.discriminator", None, **options)}


def lsun() -> Recipe:
    """Section 4.1: LSUN bedrooms at 64x64, samples shown after one and five epochs (figs. 2 and 3)."""
    return Recipe(
        name="dcgan-lsun",
        game=_game(Noise(100, "uniform")),
        nets=_nets(width=128, kernel=5),
        data=use("lsun", category="bedroom", size=64),
        batch_size=BATCH_SIZE,
        samples=5 * LSUN_BEDROOMS,
        paper=f"{PAPER}, section 4.1",
        claims=claims.lsun(),
    )


def faces() -> Recipe:
    """Section 4.2: faces at 64x64, 25 epochs of 350,000 in the authors' code.

    The authors' own faces were not published: CelebA stands in for them; `ganskit data faces` cuts faces as they did.
    """
    return evolve(
        lsun(),
        name="dcgan-faces",
        data=use("celeba", size=64),
        samples=25 * FACES,
        paper=f"{PAPER}, section 4.2",
        claims=claims.faces(),
    )


def imagenet32() -> Recipe:
    """Sections 4.3 and 5.1: ImageNet-1k as 32x32 min-resized centre crops; the authors published epoch 30."""
    return evolve(
        lsun(),
        name="dcgan-imagenet32",
        game=_game(Noise(256, "uniform")),
        nets=_nets(width=128, kernel=3, convs=2),
        data=use("imagenet", size=32),
        samples=30 * IMAGENET,
        paper=f"{PAPER}, sections 4.3 and 5.1",
        claims=claims.imagenet32(),
    )


def svhn() -> Recipe:
    """Section 5.2: SVHN, gaussian z, learning rate 5e-4, batches of 64, 200 epochs (the authors' published model)."""
    return evolve(
        lsun(),
        name="dcgan-svhn",
        game=_game(Noise(100, "normal"), SVHN_ADAM),
        nets=_nets(width=64, kernel=5),
        data=use("svhn", split="train-without-validation", size=32),
        batch_size=64,
        samples=200 * SVHN_WITHOUT_VALIDATION,
        paper=f"{PAPER}, section 5.2",
        claims=claims.svhn(),
    )


def cifar10() -> Recipe:
    """CIFAR-10 with the nets and settings of SVHN. The paper trains no GAN on it, only a classifier on D's features (5.1)."""
    return evolve(
        svhn(),
        name="dcgan-cifar10",
        data=use("cifar10", size=32),
        samples=50 * CIFAR10,
        paper=f"{PAPER}: its SVHN nets and settings, on a dataset that it only evaluates on",
        claims=(),
    )


def mnist() -> Recipe:
    """MNIST padded to 32x32, with the nets and settings of SVHN; the paper's own MNIST model is conditional (appendix)."""
    return evolve(cifar10(), name="dcgan-mnist", data=use("mnist", size=32), samples=25 * MNIST)


def rooms() -> Recipe:
    """The paper's 64x64 nets at a quarter of their width, on rooms drawn by ganskit: the first run for a newcomer.

    Tuned by eye for a few minutes on two CPU cores: small batches, a learning rate of G as in the authors' SVHN run and
    of D as in all others, and samples from moving averages of G's weights (which the paper does not use).
    """
    return evolve(
        lsun(),
        name="dcgan-rooms",
        game=evolve(_game(Noise(100, "uniform")), G_opt=SVHN_ADAM),
        nets=_nets(width=32, kernel=5),
        data=use("rooms", size=64),
        batch_size=32,
        samples=220_000,
        ema=0.99,
        paper=f"{PAPER}: its 64x64 nets at width 32, on drawn bedrooms",
        claims=claims.rooms(),
    )
