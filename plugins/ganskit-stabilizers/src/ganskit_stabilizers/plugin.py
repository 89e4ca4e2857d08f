"""Everything in this distribution, by name. Import strings only."""

from __future__ import annotations

from ganskit import Registry, hookimpl


@hookimpl
def ganskit_register(registry: Registry) -> None:
    """Register one or more entries of every kind."""
    here = "ganskit_stabilizers"
    registry.loss("wasserstein", f"{here}.losses:Wasserstein", "Arjovsky 2017, eq. 2")
    registry.loss("hinge", f"{here}.losses:Hinge", "Lim & Ye 2017; Miyato 2018, eq. 16 and 17")
    registry.penalty("gradient-penalty", f"{here}.penalties:GradientPenalty", "Gulrajani 2017, eq. 3")
    registry.penalty("r1", f"{here}.penalties:R1", "Mescheder 2018, eq. 9")
    small = {"net": {"use": "dcgan.discriminator", "width": 4, "norm": "none"}}
    registry.architecture("spectral-norm", f"{here}.spectral_norm:SpectralNorm", "Miyato 2018, algorithm 1", small)
    registry.architecture("mlp", f"{here}.mlp:MLP", "Multilayer perceptron with ReLU, for any shapes", {"width": 8, "layers": 1})
    registry.view("diff-augment", f"{here}.diff_augment:DiffAugment", "Zhao 2020")
    registry.game("wgan-clipping", f"{here}.clipping:WGANClipping", "Arjovsky 2017, algorithm 1", {"d_steps": 2})
    registry.optimizer("optimistic-adam", f"{here}.optimism:OptimisticAdam", "Daskalakis 2018, algorithm 1")

    mixture = "wgan-gp-gaussians"
    registry.dataset(
        "gaussians", f"{here}.gaussians:Gaussians", "Srivastava 2017 and Lin 2018: grid of 25, ring of 8", {"num": 64}, mixture
    )

    recipes = f"{here}.recipes"
    rooms = {
        "data.num_images": 64, "data.size": 16, "nets.G.width": 4, "nets.D.width": 4, "game.d_steps": 2, "batch_size": 8,
        "samples": 48,
    }  # fmt: skip
    cifar10 = {"nets.G.width": 4, "nets.D.net.width": 4, "batch_size": 8, "samples": 32}
    plane = {"data.num": 64, "nets.G.width": 8, "nets.D.width": 8, "batch_size": 8, "samples": 96}
    registry.recipe("wgan-rooms", f"{recipes}:wgan_rooms", "Arjovsky 2017, algorithm 1, on drawn rooms", rooms)
    registry.recipe("wgan-gp-rooms", f"{recipes}:wgan_gp_rooms", "Gulrajani 2017, algorithm 1, on drawn rooms", rooms)
    registry.recipe("sn-hinge-cifar10", f"{recipes}:sn_hinge_cifar10", "Miyato 2018, eq. 16 and table 1 C, on CIFAR-10", cifar10)
    registry.recipe("diffaugment-cifar10", f"{recipes}:diffaugment_cifar10", "Zhao 2020, on CIFAR-10", cifar10)
    registry.recipe(mixture, f"{recipes}:wgan_gp_gaussians", "Gulrajani 2017, algorithm 1, on 25 Gaussians", plane)
    registry.recipe("gan-gaussians", f"{recipes}:gan_gaussians", "The GAN that Lin 2018 compares with, on 25 Gaussians", plane)
