"""Perceptual path length: how much a picture changes for a small step of z, through torch-fidelity."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
import torch_fidelity
import torchvision
from attrs import evolve, field, frozen
from torch import nn
from torch_fidelity.metric_ppl import KEY_METRIC_PPL_RAW, calculate_ppl
from torch_fidelity.sample_similarity_base import SampleSimilarityBase
from torch_fidelity.sample_similarity_lpips import NetLinLayer, SampleSimilarityLPIPS, VGG16features

from ganskit.errors import UserError
from ganskit.evaluate.fidelity.extractor import not_that_network
from ganskit.evaluate.fidelity.inputs import check_any_pictures, coloured
from ganskit.evaluate.fidelity.weights import LPIPS, VGG16, Published, Weights, check_weights, weights_of
from ganskit.evaluate.model import Model
from ganskit.evaluator import Evaluator, Result
from ganskit.game import Noise
from ganskit.pictures import is_pictures
from ganskit.recipe import Recipe
from ganskit.validators import at_least, not_negative, one_of, positive

SIMILARITY = "ganskit-lpips-vgg16"
PRIORS = {"uniform": "ganskit-uniform", "normal": "normal", "unit": "uniform_0_1"}
"""A game's prior -> the noise source that torch-fidelity knows it by."""
SLICES = (0, 4, 9, 16, 23, 30)
"""Where Zhang 2018 cuts the layers of VGG-16: behind the activation of the last convolution before each pooling."""


class _Slices(VGG16features):  # type: ignore[misc]  # torch-fidelity ships no types
    """torch-fidelity's five slices of VGG-16, from tensors: its own constructor downloads and unpickles them."""

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        nn.Module.__init__(self)
        with torch.device("meta"):  # as weights that are replaced need not be drawn
            layers = torchvision.models.vgg16(weights=None).features
        prefix = "features."
        own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        layers.load_state_dict(own, assign=True)
        self.N_slices = len(SLICES) - 1
        for number, (start, stop) in enumerate(itertools.pairwise(SLICES), 1):
            named = nn.Sequential()
            for i in range(start, stop):
                named.add_module(str(i), layers[i])
            setattr(self, f"slice{number}", named)


class Lpips(SampleSimilarityLPIPS):  # type: ignore[misc]  # torch-fidelity ships no types
    """torch-fidelity's LPIPS (Zhang 2018), from tensors: its own constructor downloads and unpickles them."""

    def __init__(
        self,
        name: str,
        vgg: Weights,
        lpips: Weights,
        sample_similarity_resize: int | None,
        sample_similarity_dtype: str,
        **_: object,
    ) -> None:
        SampleSimilarityBase.__init__(self, name)
        self.sample_similarity_resize, self.sample_similarity_dtype = sample_similarity_resize, sample_similarity_dtype
        self.chns = [64, 128, 256, 512, 512]
        self.L = len(self.chns)
        for i, channels in enumerate(self.chns):
            setattr(self, f"lin{i}", NetLinLayer(channels, use_dropout=True))
        self.lins = [getattr(self, f"lin{i}") for i in range(self.L)]
        published, weights = LPIPS, lpips
        try:
            self.load_state_dict(dict(lpips.tensors))
            published, weights = VGG16, vgg
            self.net = _Slices(vgg.tensors)
        except RuntimeError as error:
            raise not_that_network(published, weights, error) from error
        self.eval().requires_grad_(False)


class Latents(torch_fidelity.GenerativeModelBase):  # type: ignore[misc]  # torch-fidelity ships no types
    """A model as torch-fidelity's generator: z (2 N, Z) -> x (2 N, 3, H, W) in [0, 255], float32, not rounded."""

    def __init__(self, model: Model, seed: int) -> None:
        super().__init__()
        # Not in bf16, which has not the bits for steps of 1e-4; and with statistics of its own, that nothing before has set.
        nets = copy.deepcopy(model.nets)
        self.exact = Model(evolve(model.recipe, precision="fp32"), nets, model.samples, model.device, model.ema)
        self.seed, self.noise = seed, the_noise(model.recipe)

    @property
    def z_size(self) -> int:
        """Of the one noise."""
        return self.noise.dim

    @property
    def z_type(self) -> str:
        """Its prior, by torch-fidelity's name."""
        return PRIORS[self.noise.prior]

    @property
    def num_classes(self) -> int:
        """0: labels, where a game has them, come from its data."""
        return 0

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Both ends of a step are made with the same conditions: z holds all first ends and then all second ones."""
        x = torch.cat([self.exact.from_z(ends.cpu(), self.seed) for ends in z.chunk(2)])
        if not is_pictures(x):
            raise UserError(f"A path length is of pictures (1 or 3, H, W), and not of {tuple(x.shape[1:])}.")
        return coloured(x.add(1).mul(127.5)).contiguous().to(z.device)


def the_noise(recipe: Recipe) -> Noise:
    """The one noise of a recipe's game. Raises UserError for none, or several."""
    noises = recipe.game.noises()
    if len(noises) != 1:
        raise UserError(f'"{recipe.name}" has {len(noises)} noises ({", ".join(noises) or "none"}): a path length is of one z.')
    return next(iter(noises.values()))


def _uniform(rng: np.random.RandomState, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(rng.rand(*shape)).float() * 2 - 1


torch_fidelity.register_sample_similarity(SIMILARITY, Lpips)
torch_fidelity.register_noise_source("ganskit-uniform", _uniform)


@frozen
class Ppl(Evaluator):
    """Karras 2019, section 4.1: E[LPIPS(G(z), G(z + step)) / epsilon^2] for steps of `epsilon` from z towards another z.

    torch-fidelity's form: the step begins at z itself, the lowest and the highest percent are left out as in the authors' code,
    and pictures are compared at `resize` squared. Steps are along the sphere for normal noise, as in the paper, else along the
    line; `interpolation` says otherwise. `weights` and `lpips_weights` are files of VGG-16 and LPIPS ("": the published ones).
    """

    num: int = field(default=10_000, validator=at_least(1))
    seed: int = field(default=0, validator=not_negative)
    epsilon: float = field(default=1e-4, validator=positive)
    interpolation: str = field(default="auto", validator=one_of("auto", "lerp", "slerp_any", "slerp_unit"))
    resize: int = field(default=64, validator=at_least(16))
    batch_size: int = field(default=32, validator=at_least(1))
    weights: str = ""
    weights_sha256: str = ""
    lpips_weights: str = ""
    lpips_sha256: str = ""

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for games without exactly one noise, data without pictures, and for weights that are missing."""
        the_noise(recipe)
        check_any_pictures(recipe, "A path length")
        for published, path, sha256 in self._files:
            check_weights(published, path, sha256, partial(weights_of, published, path, sha256))

    @property
    def _files(self) -> tuple[tuple[Published, str, str], ...]:
        """Of VGG-16 and of LPIPS."""
        return (VGG16, self.weights, self.weights_sha256), (LPIPS, self.lpips_weights, self.lpips_sha256)

    def evaluate(self, model: Model) -> Result:
        """{"ppl", "ppl_std"}. Raises UserError for weights of another network, and for samples that are no pictures."""
        latents = Latents(model, self.seed)
        vgg, lpips = (weights_of(*file) for file in self._files)
        interpolation = self.interpolation
        if interpolation == "auto":
            interpolation = "slerp_any" if latents.noise.prior == "normal" else "lerp"
        options = {
            "ppl_epsilon": self.epsilon,
            "ppl_z_interp_mode": interpolation,
            "ppl_sample_similarity_resize": self.resize,
            "ppl_sample_similarity_dtype": "float32",
        }
        found = calculate_ppl(
            1,
            input1=latents,
            input1_model_num_samples=self.num,
            batch_size=self.batch_size,
            cuda=model.device.type == "cuda",
            rng_seed=self.seed,
            ppl_sample_similarity=SIMILARITY,
            ppl_reduction="none",
            ppl_discard_percentile_lower=None,  # left to `trimmed`: torch-fidelity asks numpy by a name that it has dropped
            ppl_discard_percentile_higher=None,
            verbose=False,
            vgg=vgg,
            lpips=lpips,
            **options,
        )
        lengths = trimmed(found[KEY_METRIC_PPL_RAW])
        network = {"name": "lpips-vgg16", "resizer": "area or bilinear, to ppl_sample_similarity_resize (torch-fidelity)"}
        theirs = {"weights": vgg.file, "weights_sha256": vgg.sha256, "lpips_weights": lpips.file, "lpips_sha256": lpips.sha256}
        protocol = {
            **{"num": self.num, "seed": self.seed, "prior": latents.noise.prior, **options, "percentiles": [1, 99]},
            **{"pictures": "float32, not rounded, grey repeated", "precision": "fp32", "extractor": network | theirs},
            "torch_fidelity": torch_fidelity.__version__,
        }
        if model.recipe.game.conditions():  # each batch has the same ones
            protocol["batch_size"] = self.batch_size
        return Result({"ppl": float(lengths.mean()), "ppl_std": float(lengths.std())}, protocol)


def trimmed(lengths: np.ndarray) -> np.ndarray:
    """Those from the first to the 99th percentile, as torch-fidelity and the authors' code choose them."""
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    kept: np.ndarray = lengths[(low <= lengths) & (lengths <= high)]
    return kept
