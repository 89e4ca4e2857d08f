"""Everything together: the recipes train, the critic stays clipped, and a resumed run ends at the same bits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from ganskit_stabilizers.clipping import WGANClipping

from ganskit import RMSprop, load, named, override, run, use
from ganskit.plugins import registry

KINDS = {"loss", "penalty", "architecture", "view", "game", "optimizer", "dataset", "recipe"}
SMALL = (
    "data.num_images=64", "data.size=16", "nets.G.width=4", "nets.D={use='dcgan.discriminator',width=4,norm='none'}",
    "batch_size=8", "checkpoint_every=2", "log_every=1",
)  # fmt: skip


def ours() -> list[str]:
    return [f"{e.kind} {e.name}" for e in registry().entries() if e.distribution == "ganskit-stabilizers"]


def test_there_is_an_entry_of_every_kind_but_evaluators() -> None:
    assert len(ours()) == 16
    assert {each.split()[0] for each in ours()} == KINDS


def test_every_entry_loads_and_cites_its_source() -> None:
    for entry in registry().entries():
        if entry.distribution == "ganskit-stabilizers":
            assert entry.load().__doc__
            assert entry.summary


@pytest.mark.parametrize("name", [e.split()[1] for e in ours() if e.startswith("recipe")])
def test_recipes_say_their_paper_and_claims(name: str) -> None:
    recipe = named(name)
    assert recipe.name == name
    assert "arXiv" in recipe.paper
    assert recipe.claims


def test_the_defaults_are_algorithm_1() -> None:
    game = use("wgan-clipping")
    assert isinstance(game, WGANClipping)
    assert (game.clip, game.d_steps, game.G_opt, game.D_opt) == (0.01, 5, RMSprop(lr=5e-5), RMSprop(lr=5e-5))
    d, g = game.turns(game.stage(0))
    assert (d.player, d.times, d.after is not None, g.player, g.after) == ("D", 5, True, "G", None)


def test_the_critic_stays_in_its_box(tmp_path: Path) -> None:
    tiny = ["game.d_steps=2", "samples=96", "game.clip=0.004", *SMALL]
    model = load(run("wgan-rooms", settings=tiny, out=tmp_path / "run", progress=False))
    sizes = torch.cat([w.abs().flatten() for w in model.nets["D"].parameters()])
    assert sizes.max().item() == pytest.approx(0.004)
    assert (sizes < 0.004).any()
    assert max(w.abs().max().item() for w in model.nets["G"].parameters()) > 0.01


VARIANTS = {
    "clipping": ("wgan-rooms", "game.d_steps=2"),
    "gradient-penalty": ("wgan-gp-rooms", "game.d_steps=2"),
    "r1": ("dcgan-rooms", "game.penalties=['r1']"),
    "spectral-norm": (
        "dcgan-rooms",
        "game.loss=hinge",
        "nets.D={use='spectral-norm',net={use='dcgan.discriminator',width=4,norm='none'}}",
    ),
    "spectral-norm and gradient-penalty": (
        "wgan-gp-rooms",
        "game.d_steps=1",
        "nets.D={use='spectral-norm',net={use='dcgan.discriminator',width=4,norm='none'}}",
    ),
    "spectral-norm in G, averaged": ("dcgan-rooms", "nets.G={use='spectral-norm',net={use='dcgan.generator',width=4}}"),
    "diff-augment": ("dcgan-rooms", "game.views=['diff-augment']"),
    "diff-augment and gradient-penalty": ("wgan-gp-rooms", "game.d_steps=1", "game.views=['diff-augment']"),
    "optimistic-adam": ("dcgan-rooms", "game.G_opt=optimistic-adam", "game.D_opt={use='optimistic-adam',weight_decay=1e-5}"),
    "mlp": ("dcgan-rooms", "nets.G={use='mlp',width=8}", "nets.D={use='mlp',width=8}"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_half_a_run_and_the_rest_is_a_whole_run(variant: str, precision: str, tmp_path: Path) -> None:
    """To the bit: nets, averages and so optimisers, over the engine's own checkpoints."""
    name, *changes = VARIANTS[variant]
    settings = [*SMALL, *changes, f"precision={precision}"]
    whole = run(name, settings=[*settings, "samples=192"], out=tmp_path / "whole", progress=False)
    half = run(name, settings=[*settings, "samples=96"], out=tmp_path / "half", progress=False)
    run(name, settings=["samples=192"], out=half, resume=True, progress=False)
    for ema in (True, False):
        one, other = (load(each, ema=ema).nets.state_dict() for each in (whole, half))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    losses = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert all(value == value for line in losses for value in line.values())  # no NaN


@pytest.mark.parametrize("name", ["wgan-gp-gaussians", "gan-gaussians"])
def test_a_game_of_vectors_trains_and_samples(name: str, tmp_path: Path) -> None:
    settings = ["data.num=64", "samples=96", "batch_size=8"]
    folder = run(name, settings=settings, out=tmp_path / "run", progress=False)
    assert load(folder).sample(5, seed=1).shape == (5, 2)


@pytest.mark.parametrize("name", ["sn-hinge-cifar10", "diffaugment-cifar10"])
def test_the_cifar10_recipes_train_on_32x32_rooms(name: str, tmp_path: Path) -> None:
    rooms = "data={use='rooms',num_images=32,size=32}"
    settings = [rooms, "nets.G.width=4", "nets.D.net.width=4", "batch_size=8", "samples=32"]
    folder = run(name, settings=settings, out=tmp_path / "run", progress=False)
    assert load(folder).sample(2).shape == (2, 3, 32, 32)


def test_recipes_survive_toml() -> None:
    from ganskit.recipe import from_table, to_table

    for each in ours():
        if each.startswith("recipe"):
            recipe = named(each.split()[1])
            assert from_table(to_table(recipe)) == recipe
            assert override(recipe, ["seed=1"]).seed == 1
