"""What datasets have in common that ganskit draws itself."""

from __future__ import annotations

import numpy as np
from attrs import Attribute, field, frozen

from ganskit.data.dataset import Dataset
from ganskit.errors import UserError
from ganskit.validators import at_least

SMALLEST, LARGEST = 16, 1024


def check_size(dataset: str, size: int) -> None:
    """Raises UserError, in the dataset's name, unless pictures of size x size pixels can be drawn."""
    if not isinstance(size, int) or isinstance(size, bool) or not SMALLEST <= size <= LARGEST:
        raise UserError(f"{dataset}: size is a whole number of pixels from {SMALLEST} to {LARGEST}, not {size!r}.")


@frozen
class Drawn(Dataset):
    """`num_images` pictures, size x size pixels.

    Picture `i` is a pure function of (seed, i), whatever `num_images` is. Options out of range raise UserError.
    """

    num_images: int = field(default=20_000, validator=at_least(1))
    size: int = field(default=64)
    seed: int = field(default=0, validator=at_least(0))

    @size.validator
    def _check_size(self, _attribute: Attribute[int], value: int) -> None:
        check_size(type(self).__name__, value)


class DrawnSource:
    """Draws each picture when it is read: subclasses say how. `noun` names one of them, "room"."""

    def __init__(self, dataset: Drawn, noun: str, drawing: str) -> None:
        self._dataset, self._noun = dataset, noun
        options = f"seed={dataset.seed} size={dataset.size} num_images={dataset.num_images}"
        self.fingerprint = f"{noun}s {drawing} {options}"

    def __len__(self) -> int:
        return self._dataset.num_images

    def name(self, index: int) -> str:
        """How the report of skipped files calls it: "room 17"."""
        return f"{self._noun} {index}"

    def read(self, index: int) -> dict[str, np.ndarray]:
        """The example as the dataset's `provides` says. Raises IndexError beyond the last one."""
        if not 0 <= index < len(self):
            raise IndexError(f"there is no {self._noun} {index} among {len(self)}")
        return self.draw(self._dataset.seed, index, self._dataset.size)

    def draw(self, seed: int, index: int, size: int) -> dict[str, np.ndarray]:
        """The example, a pure function of these."""
        raise NotImplementedError
