"""What this plugin registers."""

from ganskit import Registry, hookimpl


@hookimpl
def ganskit_register(registry: Registry) -> None:
    """Import strings only: listing what is installed must not import torch."""
    registry.loss("my-gan.least-squares", "my_gan.losses:LeastSquares", "Mao 2017, eq. 2")
    registry.architecture("my-gan.generator", "my_gan.nets:ResizeGenerator", "Odena 2016: resize, then convolve", {"width": 4})
    registry.recipe(
        "my-gan-rooms", "my_gan.recipes:rooms", "Least squares on drawn rooms", {"nets.G.width": 4, "nets.D.width": 4}
    )
