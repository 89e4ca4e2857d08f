"""The engine does what a loop written by hand would do, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ganskit import SGD, Adam, BatchNorm, Nets, Noise, Recipe, RMSprop, TwoPlayer, evolve
from ganskit.config import unstructure
from ganskit.data.prepare import prepare
from ganskit.engine.accelerate import differentiates_twice
from ganskit.engine.device import autocast, seed_of
from ganskit.engine.engine import Engine, build_nets, placed
from ganskit.engine.run import dealer
from ganskit.game import Batch, Turn
from ganskit.optim import Decay

from toys import Blobs, tiny_nets

CPU = torch.device("cpu")


def a_recipe(**changes: Any) -> Recipe:
    adam = Adam(weight_decay=1e-5)
    base = Recipe(
        name="toy", game=TwoPlayer(order="GD", G_opt=adam, D_opt=adam), nets=tiny_nets(), data=Blobs(), batch_size=8, samples=320
    )
    return evolve(base, **changes)


def an_engine(recipe: Recipe) -> Engine:
    store = prepare(recipe.data, progress=False)
    return Engine(recipe, store.fields, dealer(store, recipe.seed))


def played(recipe: Recipe, rounds: int) -> Engine:
    engine = an_engine(recipe)
    for _ in range(rounds):
        engine.play_round()
    return engine


def weights(engine: Engine) -> dict[str, torch.Tensor]:
    return {name: t.detach().clone() for name, t in engine.nets.state_dict().items()}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_engine_equals_a_loop_written_by_hand(precision: str) -> None:
    recipe = a_recipe(precision=precision)
    engine = played(recipe, 20)

    store = prepare(recipe.data, progress=False)
    deal = dealer(store, recipe.seed)
    nets = placed(build_nets(recipe, store.fields), CPU)
    opt = {n: torch.optim.Adam(nets[n].parameters(), 2e-4, (0.5, 0.999), weight_decay=1e-5, fused=True) for n in "GD"}
    for round in range(20):
        torch.manual_seed(seed_of(recipe.seed, 0, round))
        for turn in range(2):
            x = deal((2 * round + turn) * 8, 8)["x"].to(torch.float32, memory_format=torch.channels_last) / 127.5 - 1
            z = torch.rand(8, 100) * 2 - 1
            with autocast(precision, CPU):
                if turn == 0:
                    loss = F.softplus(-nets.D(nets.G(z)).float()).mean()
                else:
                    fake = nets.G(z).detach()
                    loss = F.softplus(-nets.D(x).float()).mean() + F.softplus(nets.D(fake).float()).mean()
            opt["GD"[turn]].zero_grad()
            loss.backward()
            opt["GD"[turn]].step()

    theirs = nets.state_dict()
    assert [name for name, t in weights(engine).items() if not torch.equal(t, theirs[name])] == []
    assert engine.samples == 20 * 2 * 8


def test_a_turn_moves_its_player_and_nobody_else() -> None:
    engine = an_engine(a_recipe())
    store = prepare(engine.recipe.data, progress=False)
    for index, turn in enumerate(engine.game.turns(engine.game.stage(0))):
        before = weights(engine)
        x = store.gather(range(8))["x"].float() / 127.5 - 1
        engine.move(turn, index, [Batch({"x": x, "z": Noise().draw(8)})])
        moved = {name.split(".")[0] for name, t in weights(engine).items() if not torch.equal(t, before[name])}
        assert moved == {turn.player}


def test_micro_batches_add_up_to_the_batch() -> None:
    recipe = a_recipe(nets=tiny_nets(norm="none"), precision="fp32")
    whole, parts = weights(played(recipe, 1)), weights(played(evolve(recipe, accumulate=4), 1))
    for name, t in whole.items():
        torch.testing.assert_close(parts[name], t, rtol=0, atol=2e-6)


def test_same_batch_deals_once_and_hands_the_samples_over() -> None:
    generated = []

    class Watched(TwoPlayer):
        def generate(self, nets: Nets, b: Batch) -> torch.Tensor:
            generated.append(b)
            return super().generate(nets, b)

    engine = played(a_recipe(game=Watched(order="GD", same_batch=True)), 3)
    assert engine.samples == 3 * 8
    assert len(generated) == 3
    generated.clear()
    engine = played(a_recipe(game=Watched(order="DG", same_batch=True)), 3)
    assert engine.samples == 3 * 8
    assert len(generated) == 6


def test_every_and_times() -> None:
    seen: list[str] = []

    class Counted(TwoPlayer):
        def turns(self, stage: Any) -> tuple[Turn, ...]:
            d, g = super().turns(stage)
            return evolve(d, times=3, loss=self.noted("D", d.loss)), evolve(g, every=2, loss=self.noted("G", g.loss))

        def noted(self, player: str, loss: Any) -> Any:
            def inner(nets: Nets, b: Batch) -> Any:
                seen.append(player)
                return loss(nets, b)

            return inner

    played(a_recipe(game=Counted()), 4)
    assert "".join(seen) == "DDDG" + "DDD" + "DDDG" + "DDD"


def test_a_step_that_is_not_finite_is_skipped_and_its_round_recorded() -> None:
    for optimizer in (Adam(), RMSprop()):
        engine = played(a_recipe(game=TwoPlayer(D_opt=optimizer, G_opt=optimizer), precision="fp32"), 2)
        before = weights(engine)
        with torch.no_grad():
            kept = engine.nets["D"].linear.weight.clone()
            engine.nets["D"].linear.weight.fill_(float("nan"))
        engine.play_round()
        assert int(engine.nonfinite_round) == 2
        with torch.no_grad():
            engine.nets["D"].linear.weight.copy_(kept)
        assert [n for n, t in weights(engine).items() if not torch.equal(t, before[n])] == []


def test_the_average_follows_the_nets() -> None:
    engine = an_engine(a_recipe(ema=0.5))
    first = {n: p.clone() for n, p in engine.averages["G"].named_parameters()}
    engine.play_round()
    for name, average in engine.averages["G"].named_parameters():
        now = dict(engine.nets["G"].named_parameters())[name]
        torch.testing.assert_close(average, 0.5 * first[name] + 0.5 * now)


def test_gradient_clipping_and_schedules_act() -> None:
    sgd = SGD(lr=1.0, clip_norm=1e-3)
    engine = an_engine(a_recipe(game=TwoPlayer(D_opt=sgd, G_opt=sgd), precision="fp32"))
    before = weights(engine)
    engine.play_round()
    moved = torch.cat([(t - before[n]).flatten() for n, t in weights(engine).items() if n.startswith("D.")])
    assert moved.norm() == pytest.approx(1e-3, rel=1e-2)
    decayed = evolve(sgd, schedule=Decay(0, 100, 0.0))
    assert [decayed.lr_at(s) for s in (0, 50, 100, 1000)] == [1.0, 0.5, 0.0, 0.0]


def test_the_probe_sees_double_backward_and_leaves_no_trace() -> None:
    import unrolled
    import wgan_gp

    for recipe, expected in ((wgan_gp.recipe(), {"D": True, "G": False}), (unrolled.recipe(), {"D": False, "G": True})):
        engine = an_engine(recipe)
        b = Batch({"x": torch.rand(4, 3, 16, 16), "z": Noise().draw(4)})
        before, rng = weights(engine), torch.get_rng_state()
        found = {turn.player: differentiates_twice(turn, engine.nets, b) for turn in engine.game.turns(None)}
        assert found == expected
        assert torch.equal(rng, torch.get_rng_state())
        assert all(torch.equal(t, before[n]) for n, t in weights(engine).items())


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_compiled_turns_equal_eager_ones(backend: str) -> None:
    recipe = a_recipe(precision="fp32")
    eager, fast = weights(played(recipe, 3)), weights(played(evolve(recipe, compile=backend), 3))
    for name, t in eager.items():
        # inductor fuses and so rounds elsewhere; Adam's first steps turn a tiny difference into a fraction of lr
        torch.testing.assert_close(fast[name], t, rtol=0, atol=1e-6 if backend == "aot_eager" else 4e-4)


@pytest.mark.slow
def test_compiling_keeps_no_pickled_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch would write both by default, and read them back with pickle."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    played(a_recipe(precision="fp32", compile="inductor"), 2)
    kept = {each.name for each in tmp_path.rglob("*")}
    assert kept, "nothing was compiled here"
    assert not kept & {"fxgraph", "aotautograd"}


def test_batch_norm_is_the_authors_formula() -> None:
    torch.manual_seed(0)
    norm, x = BatchNorm(3), torch.randn(5, 3, 2, 2)
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
    expected = (x - mean) / (var + 1e-8).sqrt() * norm.weight.view(1, 3, 1, 1) + norm.bias.view(1, 3, 1, 1)
    torch.testing.assert_close(norm(x), expected)


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Under torchrun: both halves of the batch count, and the run resumes bitwise."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def train(*options: str) -> None:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "ganskit"]
        file = f"{Path(__file__).parent / 'games' / 'cyclegan.py'}:recipe"
        done = subprocess.run(
            [*command, "run", file, *options], capture_output=True, text=True, timeout=180, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr

    train("--out", str(tmp_path / "whole"))
    train("--out", str(tmp_path / "parts"), "--set", "samples=24")
    train("--out", str(tmp_path / "parts"), "--resume")
    from test_resume import assert_equal_runs, last_state

    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")
    state = last_state(tmp_path / "whole")
    assert not torch.equal(state["rank/0/nets/pool_a/images"], state["rank/1/nets/pool_a/images"])


def test_recipes_without_names_still_show_what_they_hold() -> None:
    assert unstructure(Blobs())["use"] == "toys:Blobs"
