"""Does the critic's loss fall as samples improve? python critic.py RECIPE OUT [SAMPLES]

Trains RECIPE (wgan-rooms or wgan-gp-rooms) small, on 32x32 rooms, and stops twelve times to compare the critic's estimate of the
Wasserstein distance, averaged over the last tenth of what it logged since, with the distance of `distance.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from distance import distance

from ganskit import load, run

STOPS = 12
SMALL = ["data.num_images=5000", "data.size=32", "nets.G.width=16", "nets.D.width=16", "log_every=5"]


def ranks(values: list[float]) -> torch.Tensor:
    """Positions in ascending order."""
    return torch.tensor(values).argsort().argsort().double()


def main(recipe: str, out: Path, samples: int) -> None:
    """Train, print a line for each stop, and the rank correlation of the two columns."""
    seen: list[tuple[float, float]] = []
    for stop in range(1, STOPS + 1):
        settings = [f"samples={samples * stop // STOPS}", *([] if stop > 1 else SMALL)]
        run(recipe, settings=settings, out=out, resume=stop > 1, progress=False)
        model = load(out)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        recent = lines[-max(1, len(lines) // (10 * stop)) :]
        critic = -sum(line["D.distance"] for line in recent) / len(recent)
        seen.append((critic, distance(model)))
        print(f"{model.samples:>10,} samples  critic {critic:9.4f}  distance {seen[-1][1]:7.4f}", flush=True)
    both = torch.stack([ranks(list(column)) for column in zip(*seen, strict=True)])
    print(f"Spearman's rank correlation: {torch.corrcoef(both)[0, 1]:.2f}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(float(sys.argv[3])) if len(sys.argv) > 3 else 400_000)
