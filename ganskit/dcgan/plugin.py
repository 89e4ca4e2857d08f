"""The built-in plugin set: DCGAN, registered through the same hook that third parties use."""

from __future__ import annotations

from ganskit.hookspecs import hookimpl
from ganskit.registry import Registry


@hookimpl
def ganskit_register(registry: Registry) -> None:
    """Register the paper's nets and recipes."""
    registry.architecture("dcgan.generator", "ganskit.dcgan.nets:Generator", "Radford 2016, fig. 1", {"width": 8})
    registry.architecture("dcgan.discriminator", "ganskit.dcgan.nets:Discriminator", "Radford 2016, section 3", {"width": 8})
    within = "dcgan-dedup"
    registry.architecture("dcgan.encoder", "ganskit.dcgan.dedup:Encoder", "Radford 2016, section 4.1.1: x -> code", {}, within)
    registry.architecture("dcgan.decoder", "ganskit.dcgan.dedup:Decoder", "Radford 2016, section 4.1.1: code -> x", {}, within)
    registry.game(
        "dcgan.denoising-autoencoder", "ganskit.dcgan.dedup:DenoisingAutoencoder", "Radford 2016, section 4.1.1", {}, within
    )
    small = "dcgan-cifar10"
    registry.evaluator(
        "latent-walk", "ganskit.dcgan.latent_walk:LatentWalk", "Radford 2016, fig. 4: interpolations, and sharp steps in them",
        {"rows": 2, "points": 3, "space": "pixels"},
    )  # fmt: skip
    registry.evaluator(
        "guided-backprop", "ganskit.dcgan.guided_backprop:GuidedBackprop",
        "Radford 2016, fig. 5: what D's units look for, trained beside random", {"num": 16, "top": 2}, small,
    )  # fmt: skip
    registry.evaluator(
        "collapse", "ganskit.dcgan.collapse:Collapse", "Radford 2016, section 7: filters that are constant, copies, or oscillate",
        {"num": 16}, small,
    )  # fmt: skip
    registry.evaluator(
        "forget", "ganskit.dcgan.forget.evaluator:Forget", "Radford 2016, fig. 6: drop the maps that draw windows",
        {"num": 8, "num_new": 8, "threshold": 0.0, "controls": 1, "detector_samples": 128}, "dcgan-rooms",
    )  # fmt: skip
    registry.evaluator(
        "arithmetic", "ganskit.dcgan.arithmetic:Arithmetic", "Radford 2016, fig. 7: a - b + c of averaged z vectors",
        {"a": [0, 1, 2], "b": [3, 4, 5], "c": [6, 7, 8], "num": 9}, "dcgan-rooms",
    )  # fmt: skip
    registry.evaluator(
        "turn", "ganskit.dcgan.turn:Turn", "Radford 2016, fig. 8: a vector that turns faces",
        {"left": [0, 1], "right": [2, 3], "num": 4, "rows": 2, "steps": 3}, "dcgan-rooms",
    )  # fmt: skip
    where = "ganskit.dcgan.recipes"
    tiny = {"nets.G.width": 4, "nets.D.width": 4}
    registry.recipe("dcgan-rooms", f"{where}:rooms", "Rooms drawn by ganskit, 64x64; minutes on two CPU cores, no download", tiny)
    registry.recipe("dcgan-lsun", f"{where}:lsun", "LSUN bedrooms, 64x64 (section 4.1)", tiny)
    registry.recipe("dcgan-faces", f"{where}:faces", "Faces, 64x64 (section 4.2)", tiny)
    registry.recipe("dcgan-imagenet32", f"{where}:imagenet32", "ImageNet-1k, 32x32 (sections 4.3 and 5.1)", tiny)
    registry.recipe("dcgan-svhn", f"{where}:svhn", "Street-view house numbers, 32x32 (section 5.2)", tiny)
    registry.recipe("dcgan-cifar10", f"{where}:cifar10", "CIFAR-10, 32x32, with the SVHN nets", tiny)
    registry.recipe("dcgan-mnist", f"{where}:mnist", "MNIST padded to 32x32, with the SVHN nets", tiny)
    registry.recipe("dcgan-dedup", "ganskit.dcgan.dedup:recipe", "The autoencoder that finds near-duplicates (section 4.1.1)")
