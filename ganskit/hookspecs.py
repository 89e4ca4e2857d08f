"""The hooks a plugin can implement. Signatures are a promise: they change only with a new hook name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ganskit.registry import Registry

hookspec = pluggy.HookspecMarker("ganskit")
hookimpl = pluggy.HookimplMarker("ganskit")


@hookspec
def ganskit_register(registry: Registry) -> None:
    """Register names: `registry.loss("my-loss", "my_package.losses:MyLoss", "Author Year, eq. 3")`.

    Give import strings, never classes: listing what is installed must not import torch.
    """
