"""Networks."""

from attrs import field, frozen
from torch import nn

from ganskit import Architecture, Shape, UserError
from ganskit.validators import positive


@frozen
class ResizeGenerator(Architecture):
    """z (N, Z) -> x (N, C, H, H) in [-1, 1]. Odena 2016: nearest-neighbour resizing and a convolution leave no checkerboard.

    `width`: channels nearest the image; they double with every halving of the resolution down to 4x4.
    """

    width: int = field(default=32, validator=positive)

    def build(self, shape: Shape) -> nn.Module:
        """Raises UserError for a side that is not 8, 16, 32, ..."""
        if len(shape.input) != 1 or len(shape.output) != 3:
            raise UserError(f"The generator makes pictures from vectors, and not {shape.output} from {shape.input}.")
        channels, size, _ = shape.output
        levels = (size // 4).bit_length() - 1
        if levels < 1 or size != 4 << levels:
            raise UserError(f"The generator makes pictures of 8, 16, 32, ... pixels, not {size}: set data.size to one of these.")
        top = self.width << (levels - 1)
        layers: list[nn.Module] = [nn.Linear(*shape.input, top * 16), nn.Unflatten(1, (top, 4, 4)), nn.ReLU()]
        for level in reversed(range(levels)):
            outputs = channels if level == 0 else self.width << (level - 1)
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(self.width << level, outputs, 3, padding=1)]
            layers += [nn.Tanh()] if level == 0 else [nn.ReLU()]
        return nn.Sequential(*layers)
