"""Several processes playing one game: torchrun starts them, torch.distributed connects them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence

import torch
import torch.distributed as dist
from attrs import frozen


@frozen
class World:
    """This process's place among all."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    @classmethod
    def join(cls) -> World:
        """The world that torchrun made, or a world of one."""
        if not dist.is_available() or not dist.is_torchelastic_launched():
            return cls()
        local_rank = int(os.environ["LOCAL_RANK"])
        if not dist.is_initialized():
            if torch.cuda.is_available():
                torch.cuda.set_device(local_rank % torch.cuda.device_count())
            # gloo for what is on the CPU: flags that must not make a GPU wait
            dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
            atexit.register(dist.destroy_process_group)
        return cls(dist.get_rank(), dist.get_world_size(), local_rank)

    def average(self, tensors: Sequence[torch.Tensor]) -> None:
        """Average the tensors over all processes, in place and in one bucket."""
        if self.size == 1 or not tensors:
            return
        bucket = torch.cat([t.reshape(-1) for t in tensors])
        dist.all_reduce(bucket)
        bucket /= self.size
        for t, piece in zip(tensors, torch.split(bucket, [t.numel() for t in tensors]), strict=True):
            t.copy_(piece.view_as(t))

    def agree(self, flag: bool) -> bool:
        """What the leading process says, so that decisions by the clock or by Ctrl-C are the same everywhere."""
        if self.size == 1:
            return flag
        said = torch.tensor([int(flag)])
        dist.broadcast(said, 0)
        return bool(said.item())

    def anybody(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.size == 1:
            return flag
        said = torch.tensor([int(flag)])
        dist.all_reduce(said, dist.ReduceOp.MAX)
        return bool(said.item())

    def gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """The tensor of every process, by rank; shapes are the same everywhere."""
        if self.size == 1:
            return [tensor]
        pieces = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(pieces, tensor.contiguous())
        return pieces

    def wait(self) -> None:
        """Until every process is here."""
        self.anybody(False)
