"""The conformance kit: what every entry of a plugin must do, as a class of tests and a pytest plugin.

In `pyproject.toml`, for the summary and `--ganskit-table`:

    [tool.pytest.ini_options]
    addopts = "-p ganskit.testing"

In a test file:

    from ganskit.testing import Conformance

    class TestMyPlugin(Conformance):
        distribution = "my-plugin"
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from ganskit.conformance import checks, configs
from ganskit.conformance.summary import pytest_addoption, pytest_runtest_makereport, pytest_terminal_summary
from ganskit.conformance.tiny import TinyData, TinyNet, tiny_recipe
from ganskit.conformance.watching import Failed, NotApplicable
from ganskit.data.dataset import Dataset
from ganskit.errors import GanskitError
from ganskit.plugins import plugins, registry
from ganskit.recipe import Recipe, use
from ganskit.registry import KINDS, Entry

__all__ = [
    "Conformance",
    "Failed",
    "NotApplicable",
    "TinyData",
    "TinyNet",
    "checks",
    "configs",
    "pytest_addoption",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "tiny_recipe",
]

PLAYED = tuple(kind for kind in KINDS if kind not in ("dataset", "evaluator"))
Test = TypeVar("Test", bound=Callable[..., None])


def _for_kinds(*kinds: str) -> Callable[[Test], Test]:
    """The test is run for every entry of these kinds."""

    def mark(test: Test) -> Test:
        test.kinds = kinds  # type: ignore[attr-defined]  # read below, in pytest_generate_tests
        return test

    return mark


class Conformance:
    """What every entry of the distribution `distribution` must do.

    Each entry is made with its `tiny` options, in a small general game, or `within` the recipe it was registered with.
    Where that does not suit, override `recipe` or `dataset`.
    """

    distribution = ""

    def recipe(self, entry: Entry) -> Recipe:
        """The small recipe in which an entry is tried."""
        return tiny_recipe(entry)

    def dataset(self, entry: Entry, tmp_path: Path) -> Dataset:
        """The dataset that is tried. Override it for one that needs files, and make a few of them in `tmp_path`."""
        data: Dataset = use(entry.name, "dataset", **entry.tiny)
        return data

    def entries(self) -> list[Entry]:
        """Everything that the distribution registers."""
        return [entry for entry in registry().entries() if entry.distribution == self.distribution]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each entry of the kinds that a check is for."""
        if "entry" in metafunc.fixturenames:
            kinds = getattr(metafunc.function, "kinds", KINDS)
            found = [entry for entry in self.entries() if entry.kind in kinds]
            metafunc.parametrize("entry", found, ids=[f"{entry.kind}:{entry.name}" for entry in found])

    def test_entries_are_found(self) -> None:
        """The distribution is installed, whole, and registers something."""
        with _verdict():
            ours = [plugin for plugin in plugins() if plugin.distribution == self.distribution]
            if not ours:
                there = ", ".join(plugin.distribution for plugin in plugins())
                raise Failed(f'There is no distribution "{self.distribution}" with an entry point in the group ganskit: {there}.')
            for plugin in ours:
                if plugin.broken:
                    raise Failed(f"{plugin.title} is broken: {plugin.broken}")
            if not self.entries() and all(plugin.hooks == ("ganskit_register",) for plugin in ours):
                raise Failed(f"{self.distribution} registers nothing.")

    def test_listing_imports_no_torch(self) -> None:
        """`ganskit list` stays quick."""
        with _verdict():
            checks.lists_without_torch()

    def test_options(self, entry: Entry) -> None:
        """A frozen value of its kind, whose options TOML can hold."""
        with _verdict():
            configs.is_sound(entry)

    @_for_kinds(*PLAYED)
    def test_three_rounds(self, entry: Entry) -> None:
        """Finite; each player moves and nobody else; each loss is a function of nets, batch and seed."""
        with _verdict():
            checks.plays(self.recipe(entry))

    @_for_kinds(*PLAYED)
    def test_resume(self, entry: Entry) -> None:
        """Bit by bit, in a fresh process."""
        with _verdict():
            checks.resumes(self.recipe(entry))

    @_for_kinds(*PLAYED)
    def test_micro_batches(self, entry: Entry) -> None:
        """They add up to the batch, unless something couples its samples."""
        with _verdict():
            checks.micro_batches_add_up(self.recipe(entry))

    @_for_kinds(*PLAYED)
    def test_bf16(self, entry: Entry) -> None:
        """Finite."""
        with _verdict():
            checks.is_finite_in_bf16(self.recipe(entry))

    @_for_kinds(*PLAYED)
    def test_compiled(self, entry: Entry) -> None:
        """Traced by torch.compile, it gives the same gradients."""
        with _verdict():
            checks.compiles(self.recipe(entry))

    @_for_kinds("game")
    def test_compiled_by_inductor(self, entry: Entry) -> None:
        """Compiled to machine code, it gives the same gradients."""
        if not shutil.which("g++") and not shutil.which("clang++"):
            pytest.skip("inductor needs a C++ compiler")
        with _verdict():
            checks.compiles(self.recipe(entry), "inductor")

    @_for_kinds(*PLAYED)
    def test_sampling(self, entry: Entry) -> None:
        """Samples drawn between rounds leave the training as it was."""
        with _verdict():
            checks.sampling_leaves_training_alone(self.recipe(entry))

    @_for_kinds("evaluator")
    def test_evaluation(self, entry: Entry) -> None:
        """Numbers that repeat, and a training that goes on as if nothing had been measured."""
        with _verdict():
            checks.evaluates(use(entry.name, "evaluator", **entry.tiny), self.recipe(entry))

    @_for_kinds("dataset")
    def test_examples(self, entry: Entry, tmp_path: Path) -> None:
        """Example i follows from the options and i alone, in every process."""
        with _verdict():
            checks.deals(self.dataset(entry, tmp_path))


@contextmanager
def _verdict() -> Iterator[None]:
    """What the kit finds as one line without a traceback of the kit; what a plugin raises with its own."""
    try:
        yield
    except NotApplicable as why:
        pytest.skip(str(why))
    except (Failed, GanskitError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # or pytest would show both
