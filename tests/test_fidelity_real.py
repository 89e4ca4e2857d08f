"""Real pictures and the real Inception: the same FID as torch-fidelity's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.transforms.functional import to_pil_image

from ganskit.data import Cifar10, Folder
from ganskit.data.files import sha256
from ganskit.data.prepare import prepare
from ganskit.evaluate.fidelity.extractor import inception
from ganskit.evaluate.fidelity.features import features
from ganskit.evaluate.fidelity.inputs import Reference
from ganskit.evaluate.fidelity.metrics import frechet

COMMAND = "import sys; from torch_fidelity.fidelity import main; sys.exit(main())"
WEIGHTS = "weights-inception-2015-12-05-nofc.pth"


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("num", [100, 5000])
def test_fid_is_torch_fidelitys(real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num: int) -> None:
    """5,000 pictures to train on and 5,000 to test on are 20,000 passes of Inception, so they are for GANSKIT_LONG=1."""
    if num == 5000 and not os.environ.get("GANSKIT_LONG"):
        pytest.skip("set GANSKIT_LONG=1 for 20,000 passes of Inception")
    data, weights = real("cifar-10-batches-bin"), real(WEIGHTS)
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "data"))
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for i, picture in enumerate(prepare(Cifar10(path=str(data), split=split)).gather(range(num), ["x"])["x"]):
            to_pil_image(picture).save(tmp_path / split / f"{i:05}.png")
    folders = ["--input1", str(tmp_path / "train"), "--input2", str(tmp_path / "test")]
    options = ["--fid", "--cpu", "--json", "--no-cache", "--silent", "--feature-extractor-weights-path", str(weights)]
    said = subprocess.run([sys.executable, "-c", COMMAND, *folders, *options], capture_output=True, text=True, check=True).stdout
    theirs = json.loads(said[said.index("{") :])["frechet_inception_distance"]

    extractor = inception(torch.device("cpu"), str(weights), sha256(weights))
    stores = [prepare(Folder(path=str(tmp_path / split), size=32)) for split in ("train", "test")]
    ours = frechet(*(features(Reference(store, num, seed=0), extractor, progress=False) for store in stores))
    print(f"FID of {num} and {num}: torch-fidelity {theirs:.9g}, ganskit {ours:.9g}, relative {abs(ours / theirs - 1):.2g}")
    assert ours == pytest.approx(theirs, rel=1e-4)
