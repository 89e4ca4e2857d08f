"""Two collections of pictures that do not belong together one by one: horses and zebras, photographs and paintings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve, field, frozen, validators

from ganskit.data.dataset import Field, Skip, Source
from ganskit.data.pictures import Files, Found, Pictures, sorted_names
from ganskit.data.places import contents, place_of
from ganskit.data.sides import SPLITS, find_sides, no_sides
from ganskit.validators import one_of


@frozen
class TwoDomains(Pictures):
    """Unpaired pictures of two domains `a` and `b`, as CycleGAN's (Zhu et al. 2017) datasets have them.

    `path` is a folder or a .zip with two folders a and b, A and B, or trainA and trainB; without it `name` among the
    originals in ganskit's data folder. `split` "train", "val" or "test" takes trainA and trainB, and so on. There are as
    many examples as the larger domain has pictures, and the smaller one repeats from its beginning; training deals `b` in
    an order of its own, so that which pictures stand together in the store does not matter.

    The example in which an unusable file comes for the first time is left out, so that the manifest names each of them
    once; where the smaller domain repeats, the next usable picture of the same domain takes its place.
    """

    name: str = ""
    split: str | None = field(default=None, validator=validators.optional(one_of(*SPLITS)))

    def provides(self) -> dict[str, Field]:
        """`a` and `b`, each (C, size, size) uint8."""
        return {"a": self.pixels, "b": evolve(self.pixels, unpaired=True)}

    def open(self) -> DomainsSource:
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
        pairs = [(a[i % len(a)], b[i % len(b)]) for i in range(max(len(a), len(b)))]
        return DomainsSource(files, pairs, self, min(a, b, key=len), fingerprint, num_ignored)


@frozen(eq=False)
class DomainsSource(Source):
    """Examples of one file of each domain, beginning with number `start`.

    `smaller` holds all names of the smaller domain, which repeats; a part in which it does not needs none of them.
    """

    files: Files
    pairs: Sequence[tuple[str, str]]
    dataset: Pictures
    smaller: Sequence[str]
    fingerprint: str = ""
    num_ignored: int = 0
    start: int = 0
    _unusable: set[str] = field(factory=set, init=False)  # so that they are tried once, and not in every repetition

    def __len__(self) -> int:
        return len(self.pairs)

    def name(self, index: int) -> str:
        """Both files."""
        return " + ".join(self.pairs[index])

    def read(self, index: int) -> dict[str, np.ndarray]:
        """`a` and `b`, each uint8 (C, size, size). Raises Skip, saying of each file that cannot be used why."""
        example, reasons = {}, []
        number = self.start + index
        again = self.smaller[number % len(self.smaller)] if 0 < len(self.smaller) <= number else None
        for key, name in zip("ab", self.pairs[index], strict=True):
            try:
                example[key] = self._next_usable(key, number) if name == again else self._picture(key, name)
            except Skip as reason:
                reasons.append(str(reason))
        if reasons:
            raise Skip("; ".join(reasons))
        return example

    def part(self, start: int, stop: int) -> DomainsSource:
        """Examples `start` to `stop` alone, light enough to send to a worker process."""
        pairs = self.pairs[start:stop]
        smaller = self.smaller if self.start + stop > len(self.smaller) else ()
        files = self.files.take([*(name for pair in pairs for name in pair), *smaller])
        return evolve(self, pairs=pairs, files=files, smaller=smaller, start=self.start + start)

    @property
    def transform(self) -> str:
        """What is done to each picture, and what is put together."""
        together = "files of two folders, the shorter one repeated, with the next usable file for one that is not"
        return f"{together}; {self.dataset.transform}"

    def _picture(self, key: str, name: str) -> np.ndarray:
        try:
            return self.dataset.decoded(self.files.data(name))
        except Skip as reason:
            raise Skip(f"{key} ({name}): {reason}") from reason

    def _next_usable(self, key: str, number: int) -> np.ndarray:
        """The picture of the smaller domain whose turn it is, or the next one after it that can be used."""
        count = len(self.smaller)
        for name in (self.smaller[(number + further) % count] for further in range(count)):
            if name not in self._unusable:
                try:
                    return self._picture(key, name)
                except Skip:
                    self._unusable.add(name)
        raise Skip(f"{key}: none of its {count:,} pictures can be used")
