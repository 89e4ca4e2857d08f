"""The loss against numbers worked out by hand."""

import pytest
import torch

from my_gan.losses import LeastSquares


def test_least_squares() -> None:
    real, fake = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [2.0]])
    d = LeastSquares().discriminator(real, fake)
    assert d["real"].item() == pytest.approx((0 + 4) / 2 / 2)
    assert d["fake"].item() == pytest.approx((0 + 4) / 2 / 2)
    assert LeastSquares().generator(fake)["fake"].item() == pytest.approx((1 + 1) / 2 / 2)
