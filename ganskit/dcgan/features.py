"""The discriminator's features of section 5: what the paper's SVM is trained on."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ganskit.dcgan.nets import DiscriminatorNet


def pooled_features(net: DiscriminatorNet, x: torch.Tensor) -> torch.Tensor:
    """x (N, C, H, H) in [-1, 1] -> (N, F): 28,672 for the ImageNet-32 net, 7,168 for the SVHN net.

    Radford 2016, section 5.1: "we train on Imagenet-1k and then use the discriminator's convolutional features from
    all layers, maxpooling each layers representation to produce a 4 x 4 spatial grid. These features are then
    flattened and concatenated".
    """
    return torch.cat([F.adaptive_max_pool2d(h.float(), 4).flatten(1) for h in net.features(x)], 1)
