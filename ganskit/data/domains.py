"""Two collections of pictures that do not belong together one by one: horses and zebras, photographs and paintings."""

from __future__ import annotations

from attrs import evolve, field, frozen, validators

from ganskit.data.dataset import Field
from ganskit.data.pictures import Found, Pictures, sorted_names
from ganskit.data.places import contents, place_of
from ganskit.data.sides import SPLITS, Pair, SidesSource, find_sides, no_sides
from ganskit.validators import one_of


@frozen
class TwoDomains(Pictures):
    """Unpaired pictures of two domains `a` and `b`, as CycleGAN's (Zhu et al. 2017) datasets have them.

    `path` is a folder or a .zip with two folders a and b, A and B, or trainA and trainB; without it `name` among the
    originals in ganskit's data folder. `split` "train", "val" or "test" takes trainA and trainB, and so on. There are as
    many examples as the larger domain has pictures, and the smaller one repeats from its beginning; training deals `b` in
    an order of its own, so that which pictures stand together in the store does not matter.
    """

    name: str = ""
    split: str | None = field(default=None, validator=validators.optional(one_of(*SPLITS)))

    def provides(self) -> dict[str, Field]:
        """`a` and `b`, each (C, size, size) uint8."""
        return {"a": self.pixels, "b": evolve(self.pixels, unpaired=True)}

    def open(self) -> SidesSource:
        """List the pictures. Raises DataNotFound or BadData."""
        place = place_of(self.path, self.name or "domains")
        files, found, num_ignored = contents(place)
        names, _ = sorted_names(str(place), found, num_ignored)
        sides = find_sides(place, names, self.split)
        if sides is None:
            raise no_sides(place, names, self.split)
        used: list[Found] = [each for each in found if each[0].startswith(sides)]
        num_ignored += len(found) - len(used)
        names, fingerprint = sorted_names(str(place), used, num_ignored)
        a, b = ([name for name in names if name.startswith(side)] for side in sides)
        pairs = [Pair(a[i % len(a)], b[i % len(b)]) for i in range(max(len(a), len(b)))]
        return SidesSource(files, pairs, self, False, fingerprint, num_ignored)
