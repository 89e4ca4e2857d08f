"""Feature vectors as blocks of rows: in memory, on a disk, or on a GPU; multiplied a block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from attrs import field, frozen

from ganskit.engine.device import multiplies_bf16_fast

STEP = 256
"""Rows that are widened at a time."""


@frozen(eq=False)
class Rows:
    """x_i (F,) for i < N, and behind each a constant 1 that stands for the intercept.

    The intercept is regularised like any other weight: LIBLINEAR does so, which scikit-learn calls `intercept_scaling=1`. Without
    `intercept` there is no constant, and D below is F, not F + 1. Blocks (n, F) are float32, float16 or bfloat16, on the `device`
    or to be brought there; mapped files are read as they are needed. Products are float32.
    """

    blocks: Sequence[torch.Tensor]
    device: torch.device
    intercept: bool = True
    _buffers: dict[tuple[int, torch.dtype], torch.Tensor] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, x: torch.Tensor | Iterable[torch.Tensor], device: torch.device | None = None, intercept: bool = True) -> Rows:
        """One tensor (N, F), or blocks of it; the device is where they are, if none is given."""
        blocks = [x] if isinstance(x, torch.Tensor) else list(x)
        return cls(blocks, device or blocks[0].device, intercept)

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    @property
    def width(self) -> int:
        """F."""
        return int(self.blocks[0].shape[1])

    @property
    def dimensions(self) -> int:
        """D: the weights of one problem."""
        return self.width + self.intercept

    def chosen(self, indices: torch.Tensor) -> Rows:
        """The rows at `indices` (M,), in that order, in memory, and in their own dtype."""
        return Rows([self._gathered(indices).to(self.device)], self.device, self.intercept)

    def block(self, indices: torch.Tensor, fast: bool = False) -> torch.Tensor:
        """The rows at `indices` (M,), (M, F) on the device, without constants: float32; if `fast`, bfloat16 where that is quick.

        The memory is used again for the next block: fresh memory costs more than what is read into it.
        """
        dtype = torch.bfloat16 if fast and multiplies_bf16_fast(self.device) else torch.float32
        buffers = [self._buffer(len(indices), each) for each in dict.fromkeys([self.blocks[0].dtype, dtype])]
        if len(self.blocks) == 1 and self.blocks[0].device == self.device:
            torch.index_select(self.blocks[0], 0, indices, out=buffers[0])
        else:
            buffers[0].copy_(self._gathered(indices.cpu()))
        return buffers[-1].copy_(buffers[0]) if len(buffers) > 1 else buffers[0]

    def _buffer(self, num: int, dtype: torch.dtype) -> torch.Tensor:
        if (num, dtype) not in self._buffers:
            self._buffers[num, dtype] = torch.empty(num, self.width, dtype=dtype, device=self.device)
        return self._buffers[num, dtype]

    def gram(self, x: torch.Tensor) -> torch.Tensor:
        """<x_i, x_j> (M, M), float32, of a block."""
        x = x if x.dtype == torch.float32 else self._buffer(len(x), torch.float32).copy_(x)
        return (x @ x.T).add_(float(self.intercept))

    def products(self, w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """w (k, D) and a block x (M, F) -> their scores (k, M), float32."""
        out = (w[:, : self.width].to(x.dtype) @ x.T).float()
        return out.add_(w[:, -1:]) if self.intercept else out

    def sums(self, a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """a (k, M) and a block x (M, F) -> sum_i a_i x_i (k, D), float32."""
        return self.joined((a.to(x.dtype) @ x).float(), a.sum(1, keepdim=True))

    def joined(self, weights: torch.Tensor, intercept: torch.Tensor) -> torch.Tensor:
        """weights (k, F) and intercept (k, 1) -> (k, D)."""
        return torch.cat([weights, intercept], 1) if self.intercept else weights

    def scores(self, w: torch.Tensor) -> torch.Tensor:
        """w (k, D) -> w x_i (k, N)."""
        out = torch.cat([w[:, : self.width] @ step.T for step in self._steps()], 1)
        return out.add_(w[:, -1:]) if self.intercept else out

    def combined(self, a: torch.Tensor) -> torch.Tensor:
        """a (k, N) -> sum_i a_i x_i (k, D)."""
        out, start = torch.zeros(len(a), self.width, device=self.device), 0
        for step in self._steps():
            out += a[:, start : start + len(step)] @ step
            start += len(step)
        return self.joined(out, a.sum(1, keepdim=True))

    def _gathered(self, indices: torch.Tensor) -> torch.Tensor:
        if len(self.blocks) == 1:
            return self.blocks[0][indices.to(self.blocks[0].device)]
        starts = torch.tensor([0, *(len(block) for block in self.blocks)]).cumsum(0)
        owner = torch.searchsorted(starts, indices, right=True) - 1
        out = torch.empty(len(indices), self.width, dtype=self.blocks[0].dtype, device=self.blocks[0].device)
        for number in sorted(set(owner.tolist())):
            here = owner == number
            out[here.to(out.device)] = self.blocks[number][(indices[here] - starts[number]).to(out.device)]
        return out

    def _steps(self) -> Iterable[torch.Tensor]:
        """The rows, so many at a time, as float32 on the device; good until the next is asked for."""
        for block in self.blocks:
            if block.dtype == torch.float32 and block.device == self.device:
                yield block
                continue
            for step in torch.split(block, STEP):
                yield self._buffer(len(step), torch.float32).copy_(step)
