"""The same distances in the features of a small net that ganskit trained: quick, offline, and never called FID."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import optional

from ganskit.data.dataset import Dataset, described
from ganskit.errors import UserError
from ganskit.evaluate import learned
from ganskit.evaluate.fidelity import metrics
from ganskit.evaluate.fidelity.evaluators import Compared, shown
from ganskit.evaluate.fidelity.extractor import of_net
from ganskit.evaluate.model import Model
from ganskit.evaluator import Result
from ganskit.recipe import Recipe
from ganskit.validators import at_least


@frozen
class Fd(Compared):
    """Fréchet and kernel distance (Heusel 2017, eq. 6; Bińkowski 2018, section 4) in the features of a net trained here.

    The net tells the labels `key` of `learn_from` apart (None: of the run's data) and is trained on first use, with
    `train_samples` (None: its own budget). All numbers bear its name, such as
    fd[conv-cifar10-1f3a9c]: they compare with those of the same net and the same `num` only.
    """

    key: str = "y"
    learn_from: Dataset | None = None
    train_samples: int | None = field(default=None, validator=optional(at_least(1)))
    subsets: int = field(default=100, validator=at_least(1))
    subset_size: int = field(default=1000, validator=at_least(2))
    allow_few: bool = False

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for too few pictures, and for data that no net can be trained on which sees the run's."""
        metrics.enough(self.subset_size, f"the kernel distance is of subsets of subset_size={self.subset_size:,}", **self.counts)
        super().check(recipe)
        ours, fields = recipe.data.provides(), (self.learn_from or recipe.data).provides()
        if "x" not in ours or "x" not in fields or fields["x"].shape != ours["x"].shape:
            raise UserError(f"learn_from has {described(fields)}: expected pictures as the run has, {described(ours)}.")
        if self.key not in fields:
            raise UserError(
                f'fd needs a net that has learned to tell "{self.key}" apart, and there is no such label: {described(fields)}. '
                "Give labelled pictures of the same shape, learn_from=..., or the name of the label, key=..."
            )

    def evaluate(self, model: Model) -> Result:
        """{"fd[NET]", "kd[NET]", "kd_std[NET]"}. Raises UserError for fewer pictures than the net has features."""
        inputs = self.inputs(model)
        learn_from = self.learn_from or model.recipe.data
        net = learned.classifier(learn_from, self.key, samples=self.train_samples, device=str(model.device))
        extractor = of_net(net.module, net.label, net.protocol, model.device)
        dimensions = extractor(inputs[1].rows(0, 1)).shape[1]
        metrics.enough_for_covariance(dimensions, self.allow_few, **self.counts)
        ours, real, said = self.compared(inputs, extractor)
        few = {"allow_few": True} if min(self.counts.values()) <= dimensions else {}
        mean, std = metrics.kernel(ours, real, self.subsets, self.subset_size, self.seed)
        return Result(
            {f"fd[{net.label}]": metrics.frechet(ours, real), f"kd[{net.label}]": mean, f"kd_std[{net.label}]": std},
            said | few | {"dimensions": dimensions, "subsets": self.subsets, "subset_size": self.subset_size},
            shown(inputs[0]),
        )
