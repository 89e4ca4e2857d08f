"""The discriminator's features of section 5: what the paper's SVM is trained on."""

from __future__ import annotations

from ganskit.dcgan.svm.extract import pooled as pooled_features

__all__ = ["pooled_features"]
