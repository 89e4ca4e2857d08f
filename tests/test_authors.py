"""The DCGAN authors' own weights in our nets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import ganskit
from ganskit import UserError
from ganskit.data.mnist import Mnist
from ganskit.dcgan.authors import DISCRIMINATOR, GENERATOR, import_run
from ganskit.engine.engine import build_nets
from ganskit.evaluate.svm.extract import pooled
from ganskit.recipe import named


@pytest.mark.real
def test_the_authors_svhn_networks_are_ours(real: Callable[[str], Path], tmp_path: Path) -> None:
    model = ganskit.load(import_run(real("dcgan-authors-svhn"), tmp_path / "svhn"))
    samples = model.sample(128, seed=0)
    source = Mnist(path=str(real("mnist")), split="test").open()
    digits = torch.stack([torch.from_numpy(source.read(i)["x"]) for i in range(128)]).repeat(1, 3, 1, 1) / 127.5 - 1
    noise = torch.rand(128, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    judge = model.nets["D"].train()
    with torch.no_grad():
        real_logit, fake_logit, noise_logit = (judge(x).mean().item() for x in (digits, samples, noise))
        assert pooled(judge, samples).shape == (128, 7168)
        unflipped = {n: p.flip(2, 3) if p.ndim == 4 else p for n, p in judge.state_dict().items()}
        wrong = torch.func.functional_call(judge, unflipped, noise).mean().item()
    # about +5, -5 and -18; with the kernels unflipped noise passes for real
    assert real_logit > 2 > -2 > fake_logit > noise_logit + 5
    assert wrong > 0


def test_arrays_in_the_authors_orientation_become_our_weights(tmp_path: Path) -> None:
    """Theirs: matrices (inputs, outputs), kernels that convolve; in the order of their parameter lists."""
    recipe = named("dcgan-svhn")
    nets = build_nets(recipe, recipe.data.provides())
    for net, stem, paths in (("G", "200_gen_params", GENERATOR), ("D", "200_discrim_params", DISCRIMINATOR)):
        assert sorted(paths) == sorted(name for name, _ in nets[net].named_parameters())
        for number, path in enumerate(paths, start=1):
            array = nets[net].get_parameter(path).detach().numpy()
            theirs = array[:, :, ::-1, ::-1] if array.ndim == 4 else array.T
            np.save(tmp_path / f"{stem}.jl_{number:02}.npy", np.ascontiguousarray(theirs))
    model = ganskit.load(import_run(tmp_path, tmp_path / "run"))
    for name, weight in nets.state_dict().items():
        assert torch.equal(model.nets.state_dict()[name], weight)


def test_arrays_that_are_missing_or_of_another_shape_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"200_gen_params\.jl_01\.npy is missing"):
        import_run(tmp_path, tmp_path / "run")
    np.save(tmp_path / "200_gen_params.jl_01.npy", np.zeros((3, 3), np.float32))
    with pytest.raises(UserError, match=r"shape \(3, 3\)"):
        import_run(tmp_path, tmp_path / "run")
    (tmp_path / "200_gen_params.jl_01.npy").write_bytes(b"\x80\x04not an array")
    with pytest.raises(UserError, match=r"is not an \.npy array of numbers"):
        import_run(tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
