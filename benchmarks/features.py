"""How fast features of pictures are computed, and where the time of a FID goes.

    python benchmarks/features.py [--json] [--quick] [--device cpu]

d_ratio          section 5's 28,672 features of the ImageNet-32 discriminator, bf16 and channels_last, against the plain fp32 loop
inception_ratio  Inception-v3's 2,048 features as FID takes them (fp32, channels_last), against the plain loop
fid_*_s          seconds for a FID of so many samples: generating them, their features, both at the same time, and the statistics

The networks have random weights: arithmetic does not care. Nothing is downloaded.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import click
import torch
import torch.nn.functional as F
from attrs import frozen
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganskit import Dataset, Field, Model, Recipe, TwoPlayer, build_nets, use
from ganskit.engine.device import autocast, resolve_device, resolve_precision
from ganskit.evaluate.features import activations
from ganskit.evaluate.fidelity.extractor import Extractor, as_file
from ganskit.evaluate.fidelity.features import features
from ganskit.evaluate.fidelity.inputs import Samples
from ganskit.evaluate.fidelity.metrics import frechet
from ganskit.evaluate.svm.extract import pooled

Step = Callable[[], object]
DIMENSIONS = 2048


@frozen
class Bytes(Dataset):
    """Only the shape of the data; the benchmark makes random bytes."""

    size: int = 32

    def provides(self) -> dict[str, Field]:
        return {"x": Field((3, self.size, self.size), pixels=True)}


class Untrained(FeatureExtractorInceptionV3):
    """With the weights that it is made with."""

    def load_state_dict(self, *_: object) -> None:
        """None are given."""


def the_model(width: int, device: torch.device) -> Model:
    """The nets of section 5.1, untrained; running statistics, so that there is nothing to be frozen."""
    options = {"width": width, "kernel": 3, "convs": 2, "norm": "running"}
    nets = {"G": use("dcgan.generator", per_unit=False, **options), "D": use("dcgan.discriminator", **options)}
    recipe = Recipe(name="benchmark", game=TwoPlayer(), nets=nets, data=Bytes(), batch_size=128, samples=1)
    return Model(recipe, build_nets(recipe, recipe.data.provides()), 0, device)


def discriminator(width: int, num: int, device: torch.device) -> tuple[Step, Step]:
    """The plain loop and the fast one, over one batch of bytes."""
    data = torch.randint(0, 256, (num, 3, 32, 32), dtype=torch.uint8)
    net, same = (the_model(width, device).nets["D"] for _ in "ab")
    net = net.to(memory_format=torch.contiguous_format)
    precision = resolve_precision("auto", device)

    @torch.no_grad()
    def plain() -> torch.Tensor:
        maps = activations(net, data.to(device).float() / 127.5 - 1).values()
        return torch.cat([F.adaptive_max_pool2d(h, 4).flatten(1) for h in maps], 1).cpu()

    @torch.inference_mode()
    def fast() -> torch.Tensor:
        x = data.to(device).to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)
        with autocast(precision, device):
            return pooled(same, x).cpu()

    return plain, fast


def inceptions(device: torch.device) -> tuple[FeatureExtractorInceptionV3, Extractor]:
    """torch-fidelity's, as it comes, and ours."""
    plain, ours = (Untrained("untrained", ["2048"], feature_extractor_weights_path=as_file({})).to(device) for _ in "ab")
    return plain, Extractor(ours.to(memory_format=torch.channels_last), "untrained", "2048", device, {})


def medians(steps: dict[str, Step], rounds: int, device: torch.device) -> dict[str, float]:
    """Seconds of each, over alternating rounds; a first one is not counted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


def measure(device: torch.device, quick: bool, rounds: int) -> dict[str, float]:
    """The figures."""
    width, num = (8, 16) if quick else (128, 128)
    plain, fast = discriminator(width, num, device)
    d = medians({"plain": plain, "fast": fast}, rounds, device)

    theirs, ours = inceptions(device)
    few = 2 if quick else 64 if device.type == "cpu" else 1024
    x = torch.randint(0, 256, (min(few, 64), 3, 32, 32), dtype=torch.uint8)
    no_grad = torch.no_grad()(lambda: theirs(x.to(device))[0].cpu())
    inception = medians({"plain": no_grad, "fast": lambda: ours(x)}, rounds, device)

    model = the_model(width, device)
    made = Samples(model, few, 0).rows(0, few)
    dimensions, rows = (16, 64) if quick else (DIMENSIONS, 5000)
    fake, real = (torch.randn(rows, dimensions) for _ in "ab")
    parts = medians(
        {
            "generating": lambda: Samples(model, few, 0).rows(0, few),
            "features": lambda: [ours(part) for part in made.split(64)],
            "together": lambda: features(Samples(model, few, 0), ours, progress=False),
            "statistics": lambda: frechet(fake, real),
        },
        1 if quick else 3,
        device,
    )
    return {
        "d_plain_images_per_s": num / d["plain"],
        "d_ratio": d["plain"] / d["fast"],
        "inception_plain_images_per_s": len(x) / inception["plain"],
        "inception_ratio": inception["plain"] / inception["fast"],
        "fid_samples": few,
        **{f"fid_{name}_s": seconds for name, seconds in parts.items()},
        "overlap": (parts["generating"] + parts["features"]) / parts["together"],
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--quick", is_flag=True, help="Narrow nets and few pictures: a check that the benchmark itself works.")
@click.option("--rounds", default=7, show_default=True, help="How often each side is timed.")
@click.option("--device", default="auto", show_default=True)
def main(as_json: bool, quick: bool, rounds: int, device: str) -> None:
    """Time the extraction of features."""
    where = resolve_device(device)
    figures = measure(where, quick, 1 if quick else rounds)
    if as_json:
        click.echo(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        return
    click.echo(f"{where}, {resolve_precision('auto', where)} by default, {torch.get_num_threads()} threads")
    for name, value in figures.items():
        click.echo(f"{name:<30} {value:10.3f}")


if __name__ == "__main__":
    main()
