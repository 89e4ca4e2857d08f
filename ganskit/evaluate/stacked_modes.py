"""How many of the modes of stacked digits a generator covers: a thousand, for MNIST."""

from __future__ import annotations

import torch
from attrs import field, frozen
from tqdm import tqdm

from ganskit.data.dataset import Dataset
from ganskit.data.stacked_mnist import StackedMnist
from ganskit.errors import UserError
from ganskit.evaluate import learned
from ganskit.evaluate.learned import Classifier
from ganskit.evaluate.model import Model
from ganskit.evaluate.modes import check_enough, expected_kl, reverse_kl
from ganskit.evaluate.required import shape_of
from ganskit.evaluator import Evaluator, Picture, Result
from ganskit.recipe import Recipe
from ganskit.validators import at_least, fraction

SHOWN, NAMED = 64, 20


@frozen
class StackedModes(Evaluator):
    """Metz 2017 (unrolled GAN), section 3.3.1, with the numbers of Lin 2018 (PacGAN), section 4.2.

    Each channel of a sample is classified as a digit; three digits are a mode. Lin counts 26,000 samples (num_test_sample in
    their config.py), Metz 25,600. A mode is covered when one sample falls into it; `reverse_kl` is KL(generated || uniform).

    The classifier is one of ganskit's own (`ganskit.evaluate.learned`), trained on `digits` when it is first asked for; the
    numbers hold for that classifier. None means the digits that the data are stacked of, or else MNIST. Any labelled pictures of
    the model's size will do, K classes giving K^3 modes; each channel is shown to it as a grey picture.

    `high_quality` is ours: the share of samples in which it is sure of all three digits, of each with a probability of `sure` or
    more.
    """

    num: int = field(default=26_000, validator=at_least(1))
    seed: int = field(default=0, validator=at_least(0))
    digits: Dataset | None = None
    sure: float = field(default=0.9, validator=fraction)
    train_samples: int | None = None

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for other than stacked pictures, digits of another size, and fewer samples than modes."""
        y = self._digits(recipe).provides().get("y")
        check_enough("stacked-modes", self.num, len(y.classes if y else ()) ** 3)

    def evaluate(self, model: Model) -> Result:
        """`modes` of `num_modes`, `reverse_kl` in nats, `high_quality`. Raises UserError for fewer samples than modes."""
        classifier = learned.classifier(self._digits(model.recipe), samples=self.train_samples, device=str(model.device))
        num_classes = len(classifier.names)
        check_enough("stacked-modes", self.num, num_classes**3)  # of digits whose classes have no names it is known only now
        x = model.sample(self.num, self.seed)
        found, sure = classified(classifier, x)
        mode = (found[:, 0] * num_classes + found[:, 1]) * num_classes + found[:, 2]
        counts = torch.bincount(mode, minlength=num_classes**3)
        missed = (counts == 0).nonzero().flatten().tolist()
        return Result(
            numbers={
                "modes": int(counts.count_nonzero()),
                "num_modes": len(counts),
                "reverse_kl": reverse_kl(counts),
                "high_quality": (sure >= self.sure).all(1).double().mean().item(),
            },
            protocol={"num": self.num, "seed": self.seed, "sure": self.sure, "classifier": classifier.protocol},
            pictures={"samples": Picture(x[:SHOWN], caption=_caption(found, classifier))},
            details={
                "modes_of_uniform_draws": len(counts) * (1 - (1 - 1 / len(counts)) ** self.num),
                "reverse_kl_of_uniform_draws": expected_kl(len(counts), self.num),
                "first_missed": [_name(each, classifier) for each in missed[:NAMED]],
                "classes_by_channel": [torch.bincount(each, minlength=num_classes).tolist() for each in found.T],
            },
        )

    def _digits(self, recipe: Recipe) -> Dataset:
        """What the classifier is trained on. Raises UserError when it does not fit the model's pictures."""
        data, shape = recipe.data, shape_of(recipe)
        if len(shape) != 3 or shape[0] != 3:
            raise UserError(f"stacked-modes is for pictures of three channels, each a digit; those of this model are {shape}.")
        if self.digits is None:
            if isinstance(data, StackedMnist):
                return data.digits
            raise UserError(
                f'"{recipe.name}" is on {type(data).__name__}, and not on stacked-mnist: say what digits its channels are, '
                f"such as --set digits='{{use=\"mnist\", size={shape[1]}}}'."
            )
        fields = self.digits.provides()
        seen = fields["x"].shape if "x" in fields else ()
        if len(seen) != 3 or seen[1:] != shape[1:] or seen[0] not in (1, 3):
            raise UserError(
                f"stacked-modes got digits of {seen}, and the model's channels are {shape[1:]}: give digits of "
                f"{(1, *shape[1:])}, by their option size."
            )
        return self.digits


def classified(classifier: Classifier, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The class of each channel of x (N, 3, H, W), and its probability: (N, 3) each."""
    channels = classifier.shape[0]
    classes, sure = [], []
    for part in tqdm(torch.split(x, 1024), desc="Classifying", unit_scale=1024, unit=" images", leave=False, disable=None):
        grey = part.flatten(0, 1).unsqueeze(1).expand(-1, channels, -1, -1)
        best = classifier.logits(grey).softmax(1).max(1)
        classes.append(best.indices.view(-1, 3))
        sure.append(best.values.view(-1, 3))
    return torch.cat(classes), torch.cat(sure)


def _name(mode: int, classifier: Classifier) -> str:
    num = len(classifier.names)
    return " ".join(classifier.names[each] for each in (mode // num**2, mode // num % num, mode % num))


def _caption(found: torch.Tensor, classifier: Classifier) -> str:
    first = ", ".join(" ".join(classifier.names[each] for each in row) for row in found[:8].tolist())
    return f"The first samples, which {classifier.label} takes for {first} ... (red, green, blue)."
