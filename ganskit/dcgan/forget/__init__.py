"""Fig. 6 of the DCGAN paper: making a generator forget to draw an object."""

from ganskit.dcgan.forget.evaluator import Forget

__all__ = ["Forget"]
