"""What a paper claims, and how it is tried here: as values that a recipe carries."""

from __future__ import annotations

from attrs import field, frozen

from ganskit.validators import at_least, one_of

RELATIONS = ("above", "below")


@frozen(kw_only=True)
class Arm:
    """One side of a comparison: a recipe in a small form, and a number that an evaluator finds of its run.

    `recipe` "" is the one that carries the claim; `settings` make it small, as --set does. `evaluator` is a name, `options` are
    set as --set does in `ganskit eval`, and `number` is one of its numbers.
    """

    evaluator: str
    number: str
    options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    recipe: str = ""

    def __str__(self) -> str:
        """What is trained, and how it is evaluated."""
        trained = " ".join((self.recipe, *self.settings)).strip() or "the recipe as it is"
        return f"{trained}; then {' '.join((self.evaluator, *self.options))}"


@frozen(kw_only=True)
class Claim:
    """A statement of the paper.

    `states` in its words or ours, `where` it stands, `figure` as the paper gives it. `ours` is how it is tried on two CPU
    cores, a few minutes for each of `seeds` and twelve at most; without it nobody has put it into a small form yet. It holds when
    in every seed the number is `relation` ("above" or "below") that of the `baseline` (none: zero) plus `by`.
    """

    states: str
    where: str = ""
    figure: str = ""
    ours: Arm | None = None
    baseline: Arm | None = None
    relation: str = field(default="above", validator=one_of(*RELATIONS))
    by: float = 0.0
    seeds: int = field(default=3, validator=at_least(1))

    def __str__(self) -> str:
        return f"{self.where}: {self.states}" if self.where else self.states

    def holds(self, ours: float, baseline: float = 0.0) -> bool:
        """Whether one seed's numbers agree with the claim."""
        return ours > baseline + self.by if self.relation == "above" else ours < baseline + self.by

    def expects(self) -> str:
        """What is compared, in words."""
        if self.ours is None:
            return "not yet in a small form"
        if self.baseline is None:
            return f"{self.ours.number} {self.relation} {self.by:g}"
        return f"{self.ours.number} {self.relation} the baseline's {self.baseline.number}{f' {self.by:+g}' if self.by else ''}"
