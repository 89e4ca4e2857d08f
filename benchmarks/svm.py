"""The L2-SVM's own solver against LIBLINEAR, on real CIFAR-10 through the ImageNet-32 discriminator: 28,672 features.

    python benchmarks/svm.py [--run RUN] [--rows 10000] [--agree 2000] [--all 50000] [--json]

It needs cifar-10-batches-bin in the folder GANSKIT_REAL (~/.cache/ganskit-real by default). RUN is a run of dcgan-imagenet32;
without it the discriminator has its initial weights. `--quick` checks the script itself on 300 drawn rows. 0 leaves a part out.

rows    two classes and two C: seconds of ours, all four at once, and of one LinearSVC after the other with its own tolerance, in
        turns; the objectives, which must agree to 1e-3
agree   all classes and C, LinearSVC converged tightly: the largest relative difference of objectives, and the largest share of
        rows of a test set that are classified differently
all     all classes and C by ours alone, as near to the least objective as the evaluator goes to choose C: seconds, and the most
        memory that the process has had
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from ganskit import load, named
from ganskit.data.cifar import Cifar10
from ganskit.data.prepare import prepare
from ganskit.engine.device import resolve_device
from ganskit.engine.engine import build_nets
from ganskit.evaluate.model import Model
from ganskit.evaluate.svm.evaluator import CS
from ganskit.evaluate.svm.extract import extracting, extractor
from ganskit.evaluate.svm.protocol import CHOOSING
from ganskit.evaluate.svm.reference import predictions, train
from ganskit.evaluate.svm.rows import Rows
from ganskit.evaluate.svm.solver import fit
from ganskit.recipe import evolve

REAL = Path(os.environ.get("GANSKIT_REAL", "~/.cache/ganskit-real")).expanduser()
CLASSES = 10
SPEED_CS = (1e-4, 1e-3)
NUM_TEST = 2000


def features(run: str | None, num: int, device: torch.device) -> tuple[Rows, torch.Tensor]:
    """Features and labels of so many CIFAR-10 images."""
    data = Cifar10(path=str(REAL / "cifar-10-batches-bin"))
    recipe = evolve(named("dcgan-imagenet32"), data=data)
    model = load(run, device=str(device)) if run else Model(recipe, build_nets(recipe, data.provides()), 0, device)
    store = prepare(data)
    made = extractor(model, "discriminator", "D", 4, 50, 0, store)
    with extracting(made, device) as extraction:
        rows = extraction.rows(store, np.arange(num), "Features")
        return rows, store.gather(range(num), ["y"])["y"]


def drawn(num: int, width: int) -> tuple[Rows, torch.Tensor]:
    """Rows with some structure, for trying the script."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(num, 16, generator=generator)
    x = hidden @ torch.randn(16, width, generator=generator) + torch.randn(num, width, generator=generator)
    return Rows.of(torch.nn.functional.leaky_relu(x + 1, 0.2)), hidden[:, :CLASSES].argmax(1)


def part(rows: Rows, start: int, stop: int) -> Rows:
    """Some of the rows, in the dtype that the network gave."""
    return rows.chosen(torch.arange(start, stop))


def objectives(rows: Rows, signs: torch.Tensor, c: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """1/2 |w|^2 + C sum max(0, 1 - y w x)^2 (k,), in double precision."""
    w, loss = w.double(), torch.zeros(len(w), dtype=torch.float64)
    start = 0
    for block in torch.split(rows.blocks[0], 1024):
        scores = w[:, :-1] @ block.double().T + w[:, -1:]
        loss += (1 - signs[:, start : start + len(block)] * scores).clamp(min=0).square().sum(1)
        start += len(block)
    return 0.5 * w.square().sum(1) + c * loss


def speed(rows: Rows, y: torch.Tensor, repeats: int) -> dict[str, Any]:
    """Ours and LinearSVC in turns, on two classes and two C."""
    from sklearn.svm import LinearSVC

    problems = [(k, c) for c in SPEED_CS for k in (0, 1)]
    signs = torch.stack([torch.where(y == k, 1.0, -1.0) for k, _ in problems])
    cs = torch.tensor([c for _, c in problems])
    ours_s, theirs_s, found, x = [], [], [], rows.blocks[0].float().numpy()
    for _ in range(repeats):
        started = time.perf_counter()
        ours = fit(Rows.of(rows.blocks[0]), signs, cs, tol=1e-3).w
        ours_s.append(time.perf_counter() - started)
        fits_s, found = [], []
        for sign, c in zip(signs, cs.tolist(), strict=True):
            started = time.perf_counter()
            model = LinearSVC(C=c, dual="auto", random_state=0).fit(x, sign.numpy())
            fits_s.append(time.perf_counter() - started)
            found.append(np.concatenate([model.coef_[0], model.intercept_]))
        theirs_s.append(fits_s)
    a = objectives(rows, signs, cs, ours)
    b = objectives(rows, signs, cs, torch.from_numpy(np.stack(found)))
    best = int(np.argmin(ours_s))
    return {
        "rows": len(rows),
        "problems": [f"class {k}, C = {c:g}" for k, c in problems],
        "ours_s": ours_s[best],
        "LinearSVC_s": theirs_s[best],
        "ratio": sum(theirs_s[best]) / ours_s[best],
        "ours_objective": a.tolist(),
        "LinearSVC_objective": b.tolist(),
        "above_LinearSVC": float(((a - b) / b).max()),
    }


def agreement(rows: Rows, y: torch.Tensor, test: Rows, cs: Sequence[float]) -> dict[str, Any]:
    """Both solvers on all classes and C."""
    started = time.perf_counter()
    ours = train("torch", rows, y, CLASSES, cs)
    ours_s = time.perf_counter() - started
    started = time.perf_counter()
    theirs = train("sklearn", rows, y, CLASSES, cs, tol=1e-6)
    theirs_s = time.perf_counter() - started
    signs = torch.where(y[None] == torch.arange(CLASSES)[:, None], 1.0, -1.0).repeat(len(cs), 1)
    c = torch.tensor(cs, dtype=torch.float64).repeat_interleave(CLASSES)
    a, b = (objectives(rows, signs, c, w.flatten(0, 1)) for w in (ours, theirs))
    differ = (predictions(test, ours) != predictions(test, theirs)).double().mean(1)
    return {
        "rows": len(rows),
        "Cs": list(cs),
        "ours_s": ours_s,
        "LinearSVC_tol_1e-6_s": theirs_s,
        "objectives_differ_by": float(((a - b) / b).abs().max()),
        "share_of_rows_classified_differently": float(differ.max()),
    }


def whole(rows: Rows, y: torch.Tensor, cs: Sequence[float]) -> dict[str, Any]:
    """Ours alone on all rows, with all classes and C."""
    started = time.perf_counter()
    weights = train("torch", rows, y, CLASSES, cs, CHOOSING)
    time_s = time.perf_counter() - started
    errors = (predictions(rows, weights) != y).double().mean(1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"rows": len(rows), "dtype": str(rows.blocks[0].dtype), "ours_s": time_s, "train_errors": errors.tolist(), "GiB": most}


@click.command()
@click.option("--run", help="A run of dcgan-imagenet32.  [default: initial weights]")
@click.option("--rows", default=10_000, show_default=True, help="Rows of the comparison.")
@click.option("--agree", default=2_000, show_default=True, help="Rows of the agreement.")
@click.option("--all", "all_rows", default=50_000, show_default=True, help="Rows for ours alone.")
@click.option("--cs", "num_cs", default=len(CS), show_default=True, help="How many of the seven C, for the latter two.")
@click.option("--repeats", default=1, show_default=True, help="Turns of the comparison; the fastest counts.")
@click.option("--device", default="cpu", show_default=True, help="Where ours computes.")
@click.option("--quick", is_flag=True, help="Small rows, to try the script.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(
    run: str | None, rows: int, agree: int, all_rows: int, num_cs: int, repeats: int, device: str, quick: bool, as_json: bool
) -> None:
    """Time both solvers, and compare what they find."""
    if quick:
        rows, agree, all_rows, num_cs = min(rows, 300), min(agree, 300), min(all_rows, 600), min(num_cs, 2)
    test = NUM_TEST if agree and not quick else 300
    num = max(rows, agree + test, all_rows)
    have, y = drawn(num, 500) if quick else features(run, min(num, 50_000), resolve_device(device))
    figures: dict[str, Any] = {"threads": torch.get_num_threads(), "num_features": have.width}
    if rows:
        figures["rows"] = speed(part(have, 0, rows), y[:rows], repeats)
    if agree:
        figures["agree"] = agreement(part(have, 0, agree), y[:agree], part(have, agree, agree + test), CS[:num_cs])
    if all_rows:
        figures["all"] = whole(Rows.of(have.blocks), y[: len(have)], CS[:num_cs])
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, values in figures.items():
        click.echo(f"{name}: {values}" if not isinstance(values, dict) else name)
        for key, value in values.items() if isinstance(values, dict) else ():
            click.echo(f"  {key:38} {value}")


if __name__ == "__main__":
    main()
