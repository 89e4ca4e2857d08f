"""Small networks that ganskit trains itself, to measure others by: `classifier(data)`. They need no download."""

from ganskit.evaluate.learned.making import classifier
from ganskit.evaluate.learned.trained import Classifier

__all__ = ["Classifier", "classifier"]
