"""Datasets known by name: what to get, from whom, under what terms. Nothing is downloaded without being asked."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from ganskit.data.home import originals
from ganskit.errors import DataNotFound


@frozen
class Known:
    """How a user gets one dataset; `files` and `command` may hold {placeholders} for the dataset's options."""

    title: str
    files: str
    command: str
    licence: str


CATALOG: dict[str, Known] = {
    "lsun": Known(
        "LSUN scenes (Yu et al. 2015)",
        "{category}_{split}_lmdb.zip (bedroom_train_lmdb.zip is 42.8 GB; 3,033,042 pictures)",
        "curl -LO http://dl.yf.io/lsun/scenes/{category}_{split}_lmdb.zip && unzip {category}_{split}_lmdb.zip",
        "no licence is stated by its authors; the pictures belong to their photographers",
    ),
    "faces": Known(
        "CelebA, aligned and cropped (Liu et al. 2015), in place of the paper's own faces, which were not published",
        "img_align_celeba.zip (1.4 GB; 202,599 pictures)",
        "download it at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, then: unzip img_align_celeba.zip",
        "for non-commercial research only",
    ),
    "imagenet": Known(
        "ImageNet-1k, ILSVRC2012 training pictures (Russakovsky et al. 2015)",
        "ILSVRC2012_img_train.tar (138 GB; 1,281,167 pictures), one folder for each class",
        "download it at https://www.image-net.org/download.php (an account is needed), extract it, then:"
        ' for t in n*.tar; do mkdir "${{t%.tar}}" && tar -xf "$t" -C "${{t%.tar}}"; done',
        "for non-commercial research and education only",
    ),
    "svhn": Known(
        "Street View House Numbers, cropped digits (Netzer et al. 2011)",
        "train_32x32.mat (182 MB; 73,257 digits), saved as a folder of pictures: this version reads no .mat files",
        "curl -LO http://ufldl.stanford.edu/housenumbers/train_32x32.mat, then save each digit as a PNG",
        "for non-commercial use only",
    ),
    "cifar10": Known(
        "CIFAR-10, binary version (Krizhevsky 2009)",
        "cifar-10-binary.tar.gz (162 MB)",
        "curl -LO https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz && tar -xzf cifar-10-binary.tar.gz",
        "no licence is stated by its authors, who ask to be cited",
    ),
    "mnist": Known(
        "MNIST (LeCun, Cortes & Burges)",
        "train-images-idx3-ubyte.gz (9.9 MB), train-labels-idx1-ubyte.gz (29 kB), t10k-images-idx3-ubyte.gz (1.6 MB), "
        "t10k-labels-idx1-ubyte.gz (5 kB)",
        "curl -O 'https://ossci-datasets.s3.amazonaws.com/mnist/{{train,t10k}}-{{images-idx3,labels-idx1}}-ubyte.gz'",
        "Creative Commons Attribution-ShareAlike 3.0",
    ),
}


def not_found(name: str, looked_in: Path, **options: str) -> DataNotFound:
    """The error to raise when a dataset's originals are missing: where it looked, how to get them, what to run now.

    `options` fill the placeholders of the catalogue's entry; a name without an entry gets the general advice.
    """
    known = CATALOG.get(name)
    lines = [f"{known.title if known else name or 'The dataset'}: not found.", f"  Looked in:  {looked_in}"]
    if known:
        lines += [
            f"  Get:        {known.files.format(**options)}",
            f"  How:        {known.command.format(**options)}",
            f"  Terms:      {known.licence}",
        ]
    lines += [
        f"  Put it in:  {originals(name) if name else looked_in}, or pass --data PATH with the folder that holds it.",
        "  Meanwhile:  ganskit run dcgan-rooms   (needs no download)",
    ]
    return DataNotFound("\n".join(lines))
