"""A small detector of what stands in a room, trained by ganskit on rooms' own boxes: `detector(size)`."""

from ganskit.evaluate.rooms.detector import Detector, Found, check_kinds
from ganskit.evaluate.rooms.making import detector

__all__ = ["Detector", "Found", "check_kinds", "detector"]
