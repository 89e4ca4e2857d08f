"""The L2-SVM's two solvers agree, and ours does not mind where its rows lie."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch._subclasses.fake_tensor import FakeTensorMode

from ganskit import UserError
from ganskit.evaluate.svm import newton
from ganskit.evaluate.svm import rows as rows_module
from ganskit.evaluate.svm.gram import QuickGram
from ganskit.evaluate.svm.reference import SOLVERS, predictions, train
from ganskit.evaluate.svm.rows import Rows
from ganskit.evaluate.svm.solver import fit

CS = [1e-4, 1e-3, 1e-2]


def problem(num: int, width: int, classes: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features as a discriminator's: far from zero, strongly correlated, with classes that overlap."""
    g = torch.Generator().manual_seed(seed)
    hidden = torch.randn(num, 12, generator=g)
    y = (hidden @ torch.randn(12, classes, generator=g) + 2 * torch.randn(num, classes, generator=g)).argmax(1)
    x = hidden @ torch.randn(12, width, generator=g) + torch.randn(num, width, generator=g)
    return torch.nn.functional.leaky_relu(x + 1, 0.2), y


def objective(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, c: float) -> torch.Tensor:
    """1/2 |w|^2 + C sum max(0, 1 - y w x)^2 of each class (K,), in double precision."""
    w = w.double()
    scores = x.double() @ w[:, :-1].T + w[:, -1]
    signs = torch.where(y[:, None] == torch.arange(len(w)), 1.0, -1.0)
    return 0.5 * w.square().sum(1) + c * (1 - signs * scores).clamp(min=0).square().sum(0)


@pytest.mark.parametrize(("num", "width"), [(150, 600), (700, 60), (400, 300)])
def test_ours_reaches_liblinears_objective_and_predictions(num: int, width: int) -> None:
    x, y = problem(num + 2000, width)
    (x, fresh), y = x.split([num, 2000]), y[:num]
    ours = train("torch", Rows.of(x), y, 4, CS)
    theirs = train("sklearn", Rows.of(x), y, 4, CS, tol=1e-6)
    for c, w, v in zip(CS, ours, theirs, strict=True):
        a, b = objective(x, y, w, c), objective(x, y, v, c)
        assert torch.allclose(a, b, rtol=1e-3)
    differ = predictions(Rows.of(fresh), ours) != predictions(Rows.of(fresh), theirs)
    assert differ.double().mean(1).max() <= 0.002


def test_long_features_in_bfloat16_are_solved() -> None:
    """So long that a Gram matrix in bfloat16 is far from having positive eigenvalues."""
    x, y = problem(600, 2000)
    x = (6 * x).bfloat16()
    signs = torch.where(y[None] == torch.arange(4)[:, None], 1.0, -1.0)
    found = fit(Rows.of(x), signs, torch.full((4,), 1e-2), 1e-4)
    assert found.gap.max() < 1e-3
    assert torch.allclose(found.objective.double(), objective(x, y, found.w, 1e-2), rtol=1e-3)


def test_a_gram_matrix_in_bfloat16_is_near_or_is_none() -> None:
    x, _ = problem(300, 2000)
    rows, here = Rows.of(x.bfloat16()), torch.arange(100, 165)  # an odd number: halves of two sizes
    exact = rows.gram(x[here].bfloat16())
    gram = QuickGram(rows, 256, torch.tensor(1.0)).of(rows.block(here, fast=True), here)
    assert gram is not None
    assert torch.linalg.matrix_norm(gram - exact, 2) < torch.linalg.eigvalsh(exact)[0] / 2
    twice = torch.cat([here, here])
    assert QuickGram(rows, 256, torch.tensor(1e-6)).of(rows.block(twice), twice) is None  # singular, and rounded


@pytest.mark.parametrize("width", [80, 400])
def test_the_gap_that_it_reports_is_no_smaller_than_the_true_one(width: int) -> None:
    x, y = problem(300, width)
    signs = torch.where(y[None] == torch.arange(4)[:, None], 1.0, -1.0)
    c = torch.full((4,), 1e-3)
    exact = objective(x, y, fit(Rows.of(x), signs, c, 1e-10).w, 1e-3)
    for tol in (1e-2, 1e-3, 1e-4):
        found = fit(Rows.of(x), signs, c, tol)
        true = objective(x, y, found.w, 1e-3)
        assert torch.allclose(found.objective.double(), true, rtol=1e-5)
        assert ((true - exact) / true <= found.gap + 1e-6).all()
        assert found.gap.max() <= tol


def test_rows_in_blocks_and_in_mapped_files_of_half_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = problem(500, 40)
    x = x.bfloat16()
    whole = train("torch", Rows.of(x.float()), y, 4, CS)
    blocks = []
    for number, block in enumerate(x.split(190)):
        save_file({"x": block.contiguous()}, tmp_path / f"{number}.safetensors")
        with safe_open(tmp_path / f"{number}.safetensors", "pt") as opened:
            blocks.append(opened.get_tensor("x"))
    monkeypatch.setattr(rows_module, "STEP", 64)
    mapped = Rows.of(blocks)
    assert (len(mapped), mapped.width) == (500, 40)
    assert torch.equal(mapped.chosen(torch.tensor([499, 3, 200])).blocks[0], x[[499, 3, 200]])
    assert torch.equal(mapped.block(torch.tensor([499, 3, 200])), x[[499, 3, 200]].float())
    again = train("torch", mapped, y, 4, CS)
    assert torch.allclose(again, whole, rtol=1e-3, atol=1e-4)


def test_a_class_without_examples_and_two_equal_rows() -> None:
    x, y = problem(120, 400)
    x[1] = x[0]
    w = train("torch", Rows.of(x), y, 5, CS)
    assert w.isfinite().all()
    assert (predictions(Rows.of(x), w) != 4).all()
    assert (predictions(Rows.of(x), train("sklearn", Rows.of(x), y, 5, CS)) != 4).all()


@pytest.mark.parametrize(("num", "width", "c"), [(300, 200, 1e9), (900, 60, 1.0), (900, 60, 1e12)])
def test_a_c_that_is_too_large_for_single_precision_is_refused(num: int, width: int, c: float) -> None:
    x, y = problem(num, width)
    with pytest.raises(UserError, match=r"C = .*Leave so large a C out of Cs, or take solver=sklearn"):
        train("torch", Rows.of(10 * x.abs()), y, 4, [1e-5, c])


@pytest.mark.parametrize("solver", SOLVERS)
def test_features_that_are_not_finite(solver: str) -> None:
    x, y = problem(300, 60)
    x[7, 3] = torch.nan
    with pytest.raises(UserError, match="The features are not all finite"):
        train(solver, Rows.of(x), y, 4, [1e-3])


def test_what_is_chosen_is_on_the_device_of_the_rows() -> None:
    """Fake tensors have a device, and refuse to be mixed with those of another."""
    with FakeTensorMode():
        rows = Rows.of(torch.empty(200, 30, device="cuda")).chosen(torch.arange(150))
        assert all(each.device.type == "cuda" for each in newton._landmarks(rows))
        assert QuickGram(rows, 16, torch.ones((), device="cuda"))._mean.device.type == "cuda"


def test_two_classes_are_each_others_mirror() -> None:
    x, y = problem(200, 30, classes=2)
    w = train("torch", Rows.of(x), y, 2, CS, tol=1e-7)
    assert torch.allclose(w[:, 0], -w[:, 1], atol=1e-3)
    v = train("sklearn", Rows.of(x), y, 2, CS, tol=1e-6)
    assert torch.allclose(w, v, atol=1e-2)


def test_it_leaves_random_numbers_and_threads_alone() -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    x, y = problem(100, 20)
    first, second = (train("torch", Rows.of(x), y, 4, CS) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
