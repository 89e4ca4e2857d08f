"""Which datasets know yes-or-no attributes of their pictures."""

from __future__ import annotations

from attrs import evolve

from ganskit.data.celeba import CelebA
from ganskit.data.dataset import Dataset, described
from ganskit.data.portraits import Portraits
from ganskit.data.portraits.attributes import PortraitAttributes
from ganskit.errors import UserError

ATTRIBUTES = "attributes"


def with_attributes(data: Dataset) -> Dataset:
    """The same pictures with a field "attributes" (A,) of zeros and ones, for `classifier`.

    Raises UserError for data that have none.
    """
    if isinstance(data, Portraits):
        return PortraitAttributes(data.num_images, data.size, data.seed)
    if isinstance(data, CelebA):
        return evolve(data, attributes=True)
    if ATTRIBUTES not in data.provides():
        raise UserError(
            f"There are no attributes in data with {described(data.provides())}: give data that have some, such as "
            '--set data=portraits or --set \'data={use="celeba", path="..."}\', or choose the exemplars by number.'
        )
    return data
