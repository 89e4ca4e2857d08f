"""Fig. 6 of the DCGAN paper: the same noise with and without the feature maps that draw an object."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import torch
from attrs import field, frozen
from attrs.validators import optional

from ganskit import Evaluator, Model, Picture, Recipe, Result, UserError
from ganskit.data.rooms import Rooms
from ganskit.dcgan.forget.boxes import Boxes, content, drawn, read
from ganskit.dcgan.forget.maps import chosen_layer, fitted, layer_sizes, responses, without
from ganskit.evaluate.required import check_nets, picture_shape
from ganskit.evaluate.rooms import Detector, check_kinds, detector
from ganskit.validators import at_least, fraction, positive, random_seed


@frozen(kw_only=True)
class Forget(Evaluator):
    """Radford 2016, section 6.3.1 and fig. 6: G made to forget an object.

    "On 150 samples, 52 window bounding boxes were drawn manually. On the second highest convolution layer features, logistic
    regression was fit to predict whether a feature activation was on a window (or not), by using the criterion that activations
    inside the drawn bounding boxes are positives and random samples from the same images are negatives. Using this simple model,
    all feature maps with weights greater than zero (200 in total) were dropped from all spatial locations. Then, random new
    samples were generated with and without the feature map removal."

    `boxes` is a JSON file with boxes around the object on some of the first `num` samples of `seed`, in pixels: {"3": [[left,
    top, right, bottom], ...], ...}. Without it a detector that ganskit trains on drawn rooms, for `detector_samples`, finds
    objects of the kind `detect`, where it is surer than `threshold`. `layer` is a convolution of `net` ("": the second-highest,
    see `second_highest`). `C` is the regression's; the paper gives none, and a smaller one forgets more. `num_new` samples of the
    next seed are made with and without the maps.

    For a run on rooms the detector counts the shares of new samples with the object and with the kinds in `others`, before and
    after, and after dropping as many maps at random (a mean of `controls` draws). Among the numbers is how well it finds the
    object on fresh rooms, and in what share of blurred ones it still does. Of rare kinds, such as plants, it learns little.

    Raises UserError for a file of boxes that is wrong, runs on other data without one, and unknown nets, layers and kinds.
    """

    boxes: str | None = None
    detect: str = "window"
    others: tuple[str, ...] = ("bed",)
    num: int = field(default=150, validator=at_least(1))
    num_new: int = field(default=500, validator=at_least(1))
    seed: int = field(default=0, validator=random_seed)
    net: str = "G"
    layer: str = ""
    C: float = field(default=0.01, validator=positive)
    threshold: float = field(default=0.5, validator=fraction)
    controls: int = field(default=3, validator=at_least(1))
    shown: int = field(default=8, validator=at_least(1))
    detector_samples: int | None = field(default=None, validator=optional(at_least(1)))

    def check(self, recipe: Recipe) -> None:
        """Raises UserError for a net that is not there, kinds that no detector knows, and boxes that are wrong or missing."""
        check_nets(recipe, self.net)
        if isinstance(recipe.data, Rooms):
            check_kinds(self._kinds())
        elif self.boxes is None:
            raise UserError(
                f'"{recipe.name}" was not trained on rooms, so ganskit cannot find objects on its samples by itself: draw '
                "boxes on a sheet of samples, and give the JSON file as boxes."
            )
        if self.boxes is not None:
            read(self.boxes, self.num, *picture_shape(recipe)[1:])

    def evaluate(self, model: Model) -> Result:
        """Fit, drop, generate, count."""
        sizes = layer_sizes(model, self.net)
        layer = chosen_layer(sizes, self.layer)
        x = model.sample(self.num, self.seed)
        given = read(self.boxes, self.num, *x.shape[2:]) if self.boxes is not None else None
        counter = self._detector(model, x)
        boxes = self._boxes(x, counter) if given is None else given
        h = responses(model, self.net, layer, self.num, self.seed)
        fit = fitted(h, boxes, (x.shape[2], x.shape[3]), self.C, self.seed)
        dropped = fit.weights > 0
        z = model.z(self.num_new, self.seed + 1)
        before, after = model.from_z(z, self.seed + 1), self._made_without(model, layer, dropped, z)
        numbers: dict[str, float] = {}  # the most telling first
        protocol: dict[str, Any] = {"detector": dict(counter.protocol)} if counter is not None else {}
        if counter is not None:
            had, has = self._shares(counter, before, "before"), self._shares(counter, after, "after")
            kept = {f"{kind}_kept": _kept(had[f"{kind}_before"], has[f"{kind}_after"]) for kind in self._kinds()}
            numbers |= kept | had | has
        numbers |= {"change": _change(before, after), "maps": float(len(dropped)), "dropped": float(dropped.sum())}
        if fit.accuracy is not None:
            numbers["regression_accuracy"] = fit.accuracy
        if counter is not None:
            numbers |= {f"detector_{name}": counter.quality[self.detect][name] for name in ("precision", "recall", "in_blurs")}
        at_random = self._at_random(model, layer, dropped, z, before, counter)
        numbers |= {name: sum(each[name] for each in at_random) / len(at_random) for name in at_random[0]}
        protocol |= {
            "net": self.net,
            "layer": layer,
            "layers": list(sizes),
            "C": self.C,
            "num": self.num,
            "seed": self.seed,
            "num_new": self.num_new,
            "new_seed": self.seed + 1,
            "controls": self.controls,
            "boxes_from": "detector" if self.boxes is None else f"file with the SHA-256 {_sha256(self.boxes)}",
        }
        details: dict[str, Any] = {
            "samples_with_boxes": sum(len(each) > 0 for each in boxes.values()),
            "num_boxes": sum(map(len, boxes.values())),
            "positions_inside": fit.num_inside,
            "positions_outside": fit.num_outside,
            "boxes": {str(i): each.tolist() for i, each in boxes.items() if len(each)},
            "dropped_maps": dropped.nonzero().flatten().tolist(),
        }
        if counter is not None:
            details["detector_on_fresh_rooms"] = {kind: dict(each) for kind, each in counter.quality.items()}
        return Result(numbers, protocol, self._pictures(x, boxes, before, after), details=details)

    def _detector(self, model: Model, x: torch.Tensor) -> Detector | None:
        """For a run on rooms; None for another one, which has boxes of its own."""
        if not isinstance(model.recipe.data, Rooms):
            return None
        return detector(x.shape[-1], samples=self.detector_samples, device=str(model.device))

    def _boxes(self, x: torch.Tensor, counter: Detector | None) -> Boxes:
        assert counter is not None  # check has seen to it
        height, width = x.shape[2:]
        found = counter(x, self.threshold, (self.detect,))
        sides = torch.tensor([width, height, width, height], dtype=torch.float32)
        boxes = {i: torch.tensor([each.box for each in row]).view(-1, 4) * sides for i, row in enumerate(found) if row}
        if not boxes:
            raise UserError(
                f"The detector finds no {self.detect} on the {self.num:,} samples looked through: look through more (num), lower "
                "threshold, or give boxes drawn by hand."
            )
        return boxes

    def _made_without(self, model: Model, layer: str, dropped: torch.Tensor, z: dict[str, torch.Tensor]) -> torch.Tensor:
        with without(model, self.net, layer, dropped):
            return model.from_z(z, self.seed + 1)

    def _kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.detect, *self.others)))

    def _shares(self, counter: Detector, x: torch.Tensor, when: str) -> dict[str, float]:
        """The share of pictures with each kind."""
        kinds = self._kinds()
        found = counter(x, self.threshold, kinds)
        return {f"{kind}_{when}": sum(any(f.kind == kind for f in each) for each in found) / len(x) for kind in kinds}

    def _at_random(
        self,
        model: Model,
        layer: str,
        dropped: torch.Tensor,
        z: dict[str, torch.Tensor],
        before: torch.Tensor,
        counter: Detector | None,
    ) -> list[dict[str, float]]:
        """The same numbers with as many maps dropped, drawn at random, `controls` times."""
        generator = torch.Generator().manual_seed(self.seed)
        found = []
        for _ in range(self.controls):
            others = dropped[torch.randperm(len(dropped), generator=generator)]
            x = self._made_without(model, layer, others, z)
            shares = self._shares(counter, x, "random") if counter is not None else {}
            found.append({"change_random": _change(before, x)} | shares)
        return found

    def _pictures(self, x: torch.Tensor, boxes: Boxes, before: torch.Tensor, after: torch.Tensor) -> dict[str, Picture]:
        shown = min(self.shown, self.num_new)
        caption = "Top row: samples as they are. Bottom row: the same noise, without the feature maps that the regression finds."
        return {
            "forget": Picture(torch.cat([before[:shown], after[:shown]]), shown, caption),
            "boxes": Picture(
                drawn(x, boxes, 2 * self.shown), self.shown, "Samples with the boxes that the regression is fitted on."
            ),
        }


def _sha256(file: str) -> str:
    return hashlib.sha256(content(file)).hexdigest()


def _kept(before: float, after: float) -> float:
    """The share of what was there that is left; NaN where nothing was."""
    return after / before if before else math.nan


def _change(before: torch.Tensor, after: torch.Tensor) -> float:
    """The mean absolute difference of pixels in [-1, 1]."""
    return (before - after).abs().mean().item()
