"""The papers' experiments as recipes, as far as rooms, CIFAR-10 and mixtures of Gaussians allow."""

from __future__ import annotations

from ganskit import Adam, Arm, Claim, Noise, Recipe, TwoPlayer, View, evolve, named, use
from ganskit_stabilizers.clipping import WGANClipping
from ganskit_stabilizers.diff_augment import DiffAugment
from ganskit_stabilizers.gaussians import Gaussians
from ganskit_stabilizers.losses import Hinge, Wasserstein
from ganskit_stabilizers.mlp import MLP
from ganskit_stabilizers.penalties import GradientPenalty
from ganskit_stabilizers.spectral_norm import SpectralNorm

WGAN = "Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875"
WGAN_GP = "Gulrajani et al. 2017, arXiv 1704.00028"
SN = "Miyato et al. 2018, arXiv 1802.05957"
DIFF_AUGMENT = "Zhao et al. 2020, arXiv 2006.10738"
PACGAN = "Lin et al. 2018, arXiv 1712.04086"

CRITIC_STEPS = 5
GP_ADAM = Adam(lr=1e-4, beta1=0.0, beta2=0.9)


def wgan_rooms() -> Recipe:
    """Arjovsky 2017, algorithm 1, with the DCGAN nets on drawn rooms.

    "All experiments in the paper used the default values alpha = 0.00005, c = 0.01, m = 64, n_critic = 5." z is normal, as
    in the authors' code (main.py). 5,000 rounds are a beginning: that code goes 25 times through three million bedrooms.
    """
    m = 64
    rooms = named("dcgan-rooms")
    return evolve(
        rooms,
        name="wgan-rooms",
        game=WGANClipping(noise=Noise(100, "normal"), clip=0.01, d_steps=CRITIC_STEPS),
        batch_size=m,
        samples=5_000 * (CRITIC_STEPS + 1) * m,
        ema=None,
        paper=f"{WGAN}, algorithm 1, on drawn bedrooms",
        claims=(
            Claim(
                states="The critic's estimate of the distance correlates with the quality of the samples.", where="section 4.2"
            ),
        ),
    )


def wgan_gp_rooms() -> Recipe:
    """Gulrajani 2017, algorithm 1, with the DCGAN nets on drawn rooms.

    "We use default values of lambda = 10, n_critic = 5, alpha = 0.0001, beta1 = 0, beta2 = 0.9." And "we simply omit batch
    normalization in the critic" (section 4). z is that of `wgan-rooms`; the authors' code (gan_64x64.py) has 128 numbers.
    """
    base = wgan_rooms()
    return evolve(
        base,
        name="wgan-gp-rooms",
        game=_wgan_gp_game(10.0, Noise(100, "normal"), GP_ADAM),
        nets={**base.nets, "D": use("dcgan.discriminator", width=32, norm="none")},
        paper=f"{WGAN_GP}, algorithm 1, on drawn bedrooms",
        claims=(Claim(states="The same settings train architectures on which the other objectives fail.", where="section 5.2"),),
    )


def _wgan_gp_game(weight: float, noise: Noise, adam: Adam) -> TwoPlayer:
    penalties = (GradientPenalty(weight=weight),)
    return TwoPlayer(loss=Wasserstein(), penalties=penalties, noise=noise, d_steps=CRITIC_STEPS, G_opt=adam, D_opt=adam)


def _sn_game(*views: View) -> TwoPlayer:
    adam = Adam(lr=2e-4, beta1=0.5, beta2=0.999)
    return TwoPlayer(loss=Hinge(), views=views, noise=Noise(128, "normal"), order="GD", G_opt=adam, D_opt=adam)


def sn_hinge_cifar10() -> Recipe:
    """Miyato 2018: spectral normalisation, eq. 16 and 17, and setting C of table 1.

    Setting C is alpha = 0.0002, beta1 = 0.5, beta2 = 0.999, n_dis = 1. Table 3 gives the nets: z ~ N(0, I) of 128
    numbers; in D convolutions of 64, 128 and 256 channels, twice each, with LeakyReLU 0.1. These are the nearest DCGAN nets: G's
    last layer gives the picture, in place of 64 channels and one more 3x3 convolution; D has 3x3 kernels throughout, and
    not the last convolution of 512 channels. 100,000 updates of G (section 4.1). G plays first, and batches are of
    64, as in the code that the authors published, which is for their ResNets (updater.py, configs/sn_cifar10_unconditional.yml).
    """
    d = use("dcgan.discriminator", width=64, kernel=3, convs=2, norm="none", slope=0.1)
    return Recipe(
        name="sn-hinge-cifar10",
        game=_sn_game(),
        nets={"G": use("dcgan.generator", width=128, kernel=4, per_unit=False), "D": SpectralNorm(d)},
        data=use("cifar10", size=32),
        batch_size=64,
        samples=100_000 * 2 * 64,  # both players' turns are dealt a batch
        paper=f"{SN}, section 4",
        claims=(
            Claim(
                states="An SN-GAN with the standard CNN and eq. 17, on CIFAR-10.",
                where="table 2",
                figure="inception score 7.58, FID 25.5",
            ),
        ),
    )


def diffaugment_cifar10() -> Recipe:
    """Zhao 2020 on the nets and settings of `sn-hinge-cifar10`, in place of the paper's BigGAN and StyleGAN2.

    Translation and Cutout are what the authors give to BigGAN on CIFAR-10, be it all of it or a tenth
    (scripts/DiffAugment-biggan-cifar10.sh). With colour, too, the policy is the strongest; they recommend it for 100 pictures.
    """
    return evolve(
        sn_hinge_cifar10(),
        name="diffaugment-cifar10",
        game=_sn_game(DiffAugment(policy=("translation", "cutout"))),
        paper=f"{DIFF_AUGMENT}, on the nets and settings of sn-hinge-cifar10",
        claims=(
            Claim(
                states="BigGAN's FID on CIFAR-10 falls, and falls most with a tenth of the data.",
                figure="9.59 to 8.70; 39.78 to 22.40",
            ),
        ),
    )


def gan_gaussians() -> Recipe:
    """The plain GAN that Lin 2018 compares with, on smaller nets and in a minute or two.

    From the authors' code (2DGrid_GAN&PacGAN/config.py): 100,000 samples, z ~ N(0, I) of 2 numbers, batches of 100, Adam with
    beta1 = 0.8. Theirs has batch norm and maxout units, alpha = 0.0001 and 400 epochs; here alpha = 0.001, and 30 epochs
    are dealt, half of them to D.
    """
    adam = Adam(lr=1e-3, beta1=0.8, beta2=0.999)
    return Recipe(
        name="gan-gaussians",
        game=TwoPlayer(noise=Noise(2, "normal"), G_opt=adam, D_opt=adam),
        nets={"G": MLP(width=128, layers=3), "D": MLP(width=128, layers=3)},
        data=Gaussians(layout="grid", num=100_000),
        batch_size=100,
        samples=3_000_000,
        precision="fp32",  # near 4, bf16 knows only multiples of 1/64, and the standard deviation is 0.05
        paper=f"{PACGAN}, the grid of 25 Gaussians",
        claims=(Claim(states="A plain GAN misses modes of the grid; D finds that out if it judges several samples at once."),),
    )


def wgan_gp_gaussians() -> Recipe:
    """Gulrajani 2017, algorithm 1, on 25 Gaussians.

    From the authors' code (gan_toy.py): lambda = 0.1, for "Smaller lambda makes things faster for toy tasks"; beta1 = 0.5
    and beta2 = 0.9, 5 steps of the critic, batches of 256, 3 hidden layers. Theirs have 512 units and run 100,000 rounds
    at alpha = 0.0001; these have 128 units and run 2,600 at alpha = 0.001. They divide the data by 2.828. In fig. 1a, which
    shows critics on 25 Gaussians, the generator is held fixed; here it is trained.
    """
    m = 256
    return evolve(
        gan_gaussians(),
        name="wgan-gp-gaussians",
        game=_wgan_gp_game(0.1, Noise(2, "normal"), Adam(lr=1e-3, beta1=0.5, beta2=0.9)),
        batch_size=m,
        samples=2_600 * (CRITIC_STEPS + 1) * m,
        paper=f"{WGAN_GP}, algorithm 1, on 25 Gaussians",
        claims=(
            Claim(
                states='"Critics trained with weight clipping fail to capture higher moments of the data distribution."',
                where="fig. 1a",
                # a quarter of the rounds leave both critics at chance
                ours=Arm(evaluator="mode-coverage", number="high_quality"),
                baseline=Arm(
                    evaluator="mode-coverage",
                    number="high_quality",
                    settings=('game={use="wgan-clipping", noise={dim=2, prior="normal"}}',),
                ),
            ),
        ),
    )
