"""How fast a training step is: the loop everyone copies against the engine, in one process, alternating.

    python benchmarks/train_step.py [--json] [--quick] [--device cpu]

The nets are the 4x4 DCGAN of width 64 at 64x64, batch 128, one D and one G update on each batch.

plain     fp32, NCHW, sigmoid and BCELoss, two backward calls for D, losses read back every step
fp32      the engine in fp32, channels_last
default   the engine as it runs by default
hand      a loop written by hand for speed, in the default's precision: what the engine should not be slower than
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import click
import torch
import torch.nn.functional as F
from attrs import frozen
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganskit import Dataset, Field, Nets, Recipe, TwoPlayer, evolve, use
from ganskit.engine.device import autocast, resolve_device, resolve_precision
from ganskit.engine.engine import Engine, build_nets, placed

Step = Callable[[], None]


@frozen
class Bytes(Dataset):
    """Only the shape of the data; the benchmark deals random bytes."""

    def provides(self) -> dict[str, Field]:
        return {"x": Field((3, 64, 64), pixels=True)}


def the_recipe(width: int, batch_size: int) -> Recipe:
    options = {"width": width, "kernel": 4, "norm": "running"}
    nets = {"G": use("dcgan.generator", per_unit=False, **options), "D": use("dcgan.discriminator", **options)}
    game = TwoPlayer(order="GD", same_batch=True)
    return Recipe(name="benchmark", game=game, nets=nets, data=Bytes(), batch_size=batch_size, samples=1 << 40)


def plain(recipe: Recipe, data: torch.Tensor, device: torch.device) -> Step:
    """The loop of most tutorials."""
    nets = build_nets(recipe, recipe.data.provides()).to(device)
    g, d, bce = nets["G"], nn.Sequential(nets["D"], nn.Sigmoid()), nn.BCELoss()
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    g_opt, d_opt = torch.optim.Adam(g.parameters(), **adam), torch.optim.Adam(d.parameters(), **adam)
    real_label, fake_label = (torch.full((len(data), 1), v, device=device) for v in (1.0, 0.0))

    def step() -> None:
        x = data.to(device).float() / 127.5 - 1
        d_opt.zero_grad()
        real_loss = bce(d(x), real_label)
        real_loss.backward()
        fake = g(torch.rand(len(x), 100, device=device) * 2 - 1)
        fake_loss = bce(d(fake.detach()), fake_label)
        fake_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        g_loss = bce(d(fake), real_label)
        g_loss.backward()
        g_opt.step()
        real_loss.item(), fake_loss.item(), g_loss.item()

    return step


def hand(recipe: Recipe, data: torch.Tensor, device: torch.device) -> Step:
    """The engine's work without the engine."""
    nets: Nets = placed(build_nets(recipe, recipe.data.provides()), device)
    precision = resolve_precision(recipe.precision, device)
    parameters = {name: list(net.parameters()) for name, net in nets.items()}
    opt = {name: torch.optim.Adam(p, 2e-4, (0.5, 0.999), fused=True) for name, p in parameters.items()}

    def move(name: str, loss: torch.Tensor) -> None:
        opt[name].zero_grad()
        loss.backward()
        opt[name].step()

    def step() -> None:
        x = data.to(device).to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)
        z = torch.rand(len(x), 100, device=device).mul_(2).sub_(1)
        nets["D"].requires_grad_(False)
        with autocast(precision, device):
            fake = nets.G(z)
            loss = F.softplus(-nets.D(fake).float()).mean()
        move("G", loss)
        nets["D"].requires_grad_(True)
        with autocast(precision, device):
            loss = F.softplus(-nets.D(x).float()).mean() + F.softplus(nets.D(fake.detach()).float()).mean()
        move("D", loss)

    return step


def engine(recipe: Recipe, data: torch.Tensor, device: torch.device) -> Step:
    return Engine(recipe, recipe.data.provides(), lambda start, count: {"x": data}, device).play_round


def arithmetic(recipe: Recipe, data: torch.Tensor) -> int:
    """Floating-point operations of one round's convolutions and matrix products."""
    step = engine(evolve(recipe, compile="off"), data, torch.device("cpu"))
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def matrix_rate(device: torch.device, size: int) -> float:
    """The machine's own bf16 matrix multiplication, in operations per second."""
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in "ab")
    return 2 * size**3 / min(timed(lambda: a @ b, 3, device) for _ in range(5))


def timed(step: Callable[[], Any], times: int, device: torch.device) -> float:
    """Seconds per call."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / times


def measure(device: torch.device, quick: bool, rounds: int) -> dict[str, float]:
    """The figures, as ratios of medians over alternating rounds."""
    width, batch_size, steps = (8, 16, 1) if quick else (64, 128, 2 if device.type == "cpu" else 50)
    recipe = the_recipe(width, batch_size)
    data = torch.randint(0, 256, (batch_size, 3, 64, 64), dtype=torch.uint8)
    steps_of: dict[str, Step] = {
        "plain": plain(recipe, data, device),
        "fp32": engine(evolve(recipe, precision="fp32"), data, device),
        "default": engine(recipe, data, device),
        "hand": hand(recipe, data, device),
    }
    times: dict[str, list[float]] = {name: [] for name in steps_of}
    for step in steps_of.values():
        timed(step, 2, device)
    rates = []
    for _ in range(rounds):
        for name, step in steps_of.items():
            times[name].append(timed(step, steps, device))
        rates.append(matrix_rate(device, 512 if quick else 4096))
    median = {name: statistics.median(each) for name, each in times.items()}
    return {
        "plain_images_per_s": batch_size / median["plain"],
        "fp32_ratio": median["plain"] / median["fp32"],
        "default_ratio": median["plain"] / median["default"],
        "matrix_share": arithmetic(recipe, data) / median["default"] / statistics.median(rates),
        "overhead": median["default"] / median["hand"],
        "matrix_tflops": statistics.median(rates) / 1e12,
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--quick", is_flag=True, help="Tiny nets and few steps: a check that the benchmark itself works.")
@click.option("--rounds", default=9, show_default=True, help="How often each side is timed.")
@click.option("--device", default="auto", show_default=True)
def main(as_json: bool, quick: bool, rounds: int, device: str) -> None:
    """Time a training step."""
    where = resolve_device(device)
    figures = measure(where, quick, 2 if quick else rounds)
    if as_json:
        click.echo(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        return
    click.echo(f"{where}, {resolve_precision('auto', where)} by default, {torch.get_num_threads()} threads")
    for name, value in figures.items():
        click.echo(f"{name:<20} {value:10.3f}")


if __name__ == "__main__":
    main()
