"""The conformance kit: the checks that every entry of a plugin must pass, as a pytest plugin.

In `conftest.py`, for the summary and --ganskit-table:

    pytest_plugins = ["ganskit.testing"]

In a test file:

    from ganskit.testing import Conformance

    class TestMyPlugin(Conformance):
        distribution = "my-plugin"
"""

from ganskit.testing.checks import (
    compiles,
    deals,
    evaluates,
    is_finite_in_bf16,
    lists_without_torch,
    micro_batches_add_up,
    plays,
    resumes,
    sampling_leaves_training_alone,
)
from ganskit.testing.configs import is_sound
from ganskit.testing.conformance import Conformance
from ganskit.testing.summary import pytest_addoption, pytest_configure, pytest_runtest_makereport, pytest_terminal_summary
from ganskit.testing.tiny import TinyData, TinyNet, tiny_recipe
from ganskit.testing.watching import Failed, NotApplicable

__all__ = [
    "Conformance",
    "Failed",
    "NotApplicable",
    "TinyData",
    "TinyNet",
    "compiles",
    "deals",
    "evaluates",
    "is_finite_in_bf16",
    "is_sound",
    "lists_without_torch",
    "micro_batches_add_up",
    "plays",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "resumes",
    "sampling_leaves_training_alone",
    "tiny_recipe",
]
