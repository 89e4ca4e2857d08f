"""Networks that turn pictures into features, as torch-fidelity has them: its own with checked weights, and any net of ours.

They are in torch-fidelity's registry, as "ganskit-inception-v3", "ganskit-vgg16" and "ganskit-net".
"""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from typing import Any

import torch
import torch_fidelity
from attrs import frozen
from torch import nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16
from torch_fidelity.utils import create_feature_extractor

from ganskit.errors import UserError
from ganskit.evaluate.fidelity.weights import INCEPTION, VGG16, Published, Weights, weights_of

TF1_RESIZER = "bilinear as in TensorFlow 1 (torch-fidelity), to {0}x{0}"


class Inception(FeatureExtractorInceptionV3):  # type: ignore[misc]  # torch-fidelity ships no types
    """torch-fidelity's Inception-v3, made from tensors."""

    def __init__(self, name: str, features_list: list[str], tensors: Mapping[str, torch.Tensor], **kwargs: object) -> None:
        super().__init__(name, features_list, **kwargs | {"feature_extractor_weights_path": as_file(tensors)})


class Vgg16(FeatureExtractorVGG16):  # type: ignore[misc]  # torch-fidelity ships no types
    """torch-fidelity's VGG-16, made from tensors."""

    def __init__(self, name: str, features_list: list[str], tensors: Mapping[str, torch.Tensor], **kwargs: object) -> None:
        super().__init__(name, features_list, **kwargs | {"feature_extractor_weights_path": as_file(tensors)})


class OfNet(FeatureExtractorBase):  # type: ignore[misc]  # torch-fidelity ships no types
    """Any net x (N, C, H, W) in [-1, 1] -> features (N, F); grey pictures reach it as they are."""

    def __init__(self, name: str, features_list: list[str], net: nn.Module, **_: object) -> None:
        super().__init__(name, features_list)
        self.net = net

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """It has one kind of features."""
        return ("features",)

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """The same for all."""
        return "features"

    @staticmethod
    def can_be_compiled() -> bool:
        """Not known of any net."""
        return False

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """x (N, C, H, W) uint8 -> ((N, F),) float32."""
        return (self.net(x.float() / 127.5 - 1).float().flatten(1),)


for _name, _class in (("ganskit-inception-v3", Inception), ("ganskit-vgg16", Vgg16), ("ganskit-net", OfNet)):
    torch_fidelity.register_feature_extractor(_name, _class)


def as_file(tensors: Mapping[str, torch.Tensor]) -> io.BytesIO:
    """torch-fidelity unpickles the file that it reads weights from: it is given one that was written here, in memory."""
    file = io.BytesIO()
    torch.save(dict(tensors), file)
    file.seek(0)
    return file


@frozen(eq=False)
class Extractor:
    """One kind of features of one net. `label` names it in numbers; `protocol` says which net it is, with which weights."""

    net: FeatureExtractorBase
    label: str
    layer: str
    device: torch.device
    protocol: Mapping[str, Any]
    colour: bool = True

    @torch.inference_mode()
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, 3, H, W) uint8 -> features (N, F) float32, on the CPU."""
        features = self.net(x.to(self.device, memory_format=torch.channels_last))
        return self.net.convert_features_tuple_to_dict(features)[self.layer].float().cpu()  # type: ignore[no-any-return]  # untyped


def inception(device: torch.device, path: str = "", sha256: str = "", layer: str = "2048") -> Extractor:
    """The Inception-v3 of Szegedy 2015 that FID is defined by: the 2,048 features before its logits, or "logits_unbiased".

    Raises UserError for weights of another network, and for the logits of one without them.
    """
    weights = weights_of(INCEPTION, path, sha256)
    nothing = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    tensors = nothing | dict(weights.tensors)
    made = _published("ganskit-inception-v3", INCEPTION, weights, tensors, layer, 299, device)
    if layer.startswith("logits") and not tensors["fc.weight"].any():
        raise UserError(
            f"{weights.file} has no logits (its last layer, fc.weight, is missing or zero): the Inception Score would be 1 for "
            f"whatever it looks at. Use weights with that layer, such as {INCEPTION.file.name}."
        )
    return made


def vgg16(device: torch.device, path: str = "", sha256: str = "") -> Extractor:
    """The VGG-16 of Simonyan 2015: its second fully connected layer's 4,096 features. Raises UserError."""
    weights = weights_of(VGG16, path, sha256)
    return _published("ganskit-vgg16", VGG16, weights, weights.tensors, "fc2_relu", 224, device)


def of_net(net: nn.Module, label: str, protocol: Mapping[str, Any], device: torch.device, colour: bool = False) -> Extractor:
    """A net of ours, x (N, C, H, W) in [-1, 1] -> (N, F), as an extractor called `label`. `colour`: it wants grey repeated."""
    made = _placed(
        create_feature_extractor("ganskit-net", ["features"], cuda=False, verbose=False, net=copy.deepcopy(net)), device
    )
    return Extractor(made, label, "features", device, {"name": label, "resizer": "none", **protocol}, colour)


def _published(
    name: str,
    published: Published,
    weights: Weights,
    tensors: Mapping[str, torch.Tensor],
    layer: str,
    size: int,
    device: torch.device,
) -> Extractor:
    try:
        made = create_feature_extractor(name, [layer], cuda=False, verbose=False, tensors=tensors)
    except RuntimeError as error:
        raise not_that_network(published, weights, error) from error
    protocol = {
        "name": name.removeprefix("ganskit-"),
        "layer": layer,
        "weights": weights.file,
        "weights_sha256": weights.sha256,
        "resizer": TF1_RESIZER.format(size),
        "precision": "fp32",
    }
    return Extractor(_placed(made, device), protocol["name"], layer, device, protocol)


def not_that_network(published: Published, weights: Weights, error: RuntimeError) -> UserError:
    """What torch says of tensors that do not fit, in short."""
    lines = [line.strip() for line in str(error).splitlines()[1:]]
    differs = "; ".join(line if len(line) <= 160 else f"{line[:160]} ..." for line in lines[:3])
    return UserError(
        f"{weights.file} has the weights of another network than {published.network}. {differs} "
        f"Expected those of {published.file.name}."
    )


def _placed(net: FeatureExtractorBase, device: torch.device) -> FeatureExtractorBase:
    return net.to(device, memory_format=torch.channels_last)
