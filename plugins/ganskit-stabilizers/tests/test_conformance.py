"""ganskit's conformance kit over everything that this plugin registers."""

from ganskit.testing import Conformance


class TestConformance(Conformance):
    distribution = "ganskit-stabilizers"
