"""Datasets known by name: what to get, from whom, under what terms. Nothing is downloaded without being asked.

Addresses are the publishers' own. Sizes and hashes are those that publishers print, and those that TensorFlow Datasets,
torchvision and scikit-learn recorded of the publishers' files; what is not known is left out, and the server is asked.
"""

from __future__ import annotations

from pathlib import Path

from ganskit.data import lsun_files
from ganskit.data.home import originals
from ganskit.data.known import Known, Remote
from ganskit.errors import DataNotFound, UnknownName, nearest


def known(name: str) -> Known:
    """The entry of this name. Raises UnknownName."""
    if name not in CATALOG:
        raise UnknownName(f'Of "{name}" no address is known. {nearest(name, CATALOG, show=20)}')
    return CATALOG[name]


def not_found(name: str, looked_in: Path, **options: str) -> DataNotFound:
    """The error to raise when a dataset's originals are missing: where it looked, how to get them, what to run now.

    `options` are the dataset's; a name without an entry gets the general advice.
    """
    known = CATALOG.get(name)
    lines = [f"{known.title if known else name or 'The dataset'}: not found.", f"  Looked in:  {looked_in}"]
    if known:
        lines += [
            f"  Get:        {known.what(**options)}",
            *([f"  From:       {known.where(**options)}"] if known.where(**options) else []),
            f"  How:        {known.how(**options)}",
            f"  Terms:      {known.licence}",
        ]
    lines += [
        f"  Put it in:  {originals(name) if name else looked_in}",
        '  Elsewhere:  --data PATH (ganskit run), --set path=PATH (ganskit data prepare), path="PATH" in a table data={...}',
        "  Meanwhile:  ganskit run dcgan-rooms   (needs no download)",
    ]
    return DataNotFound("\n".join(lines))


def _idx(base: str, *sizes_and_hashes: tuple[int, str]) -> tuple[Remote, ...]:
    """The four files of MNIST's format, with the bytes and the SHA-256 of each."""
    names = [f"{split}-{kind}-ubyte.gz" for split in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    return tuple(Remote(f"{base}/{name}", *each) for name, each in zip(names, sizes_and_hashes, strict=True))


_NO_LICENCE = "no licence is stated by its authors, who ask to be cited"
_RESEARCH = "for non-commercial research and education only"
_ACCOUNT = "get an account at https://www.image-net.org/download.php, agree to its terms, and download it"
_IMAGENET = "https://image-net.org/data"
_CELEBA = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"  # leads to Google Drive, whose pages are for people
_LFW = "https://ndownloader.figshare.com/files"  # the publisher's server is gone; here scikit-learn keeps its files
_SVHN = "http://ufldl.stanford.edu/housenumbers"
_CIFAR = "https://www.cs.toronto.edu/~kriz"

_KNOWN = (
    Known(
        "lsun",
        "LSUN, scenes and objects (Yu et al. 2015)",
        "no licence is stated by its authors; the pictures belong to their photographers",
        lsun_files.FILES,
        defaults={"category": "bedroom", "split": "train"},
    ),
    Known(
        "celeba",
        "CelebA, aligned and cropped (Liu et al. 2015)",
        "for non-commercial research only",
        tuple(
            Remote(_CELEBA, size, sha256, called=name)
            for name, size, sha256 in (
                ("img_align_celeba.zip", 1443490838, "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74"),
                ("list_attr_celeba.txt", 26721026, "f0e5da289d5ccf75ffe8811132694922b60f2af59256ed362afa03fefba324d0"),
                ("list_eval_partition.txt", 2836386, "fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7"),
            )
        ),
        agreement="for non-commercial research only",
        by_hand=f"download it at {_CELEBA}, after agreeing to its terms",
    ),
    Known(
        "lfw",
        "Labeled Faces in the Wild (Huang et al. 2007)",
        _NO_LICENCE,
        tuple(
            Remote(f"{_LFW}/{number}", size, sha256, when={"variant": variant}, unpacks_to=folder, called=name)
            for variant, number, name, folder, size, sha256 in (
                (
                    *("original", 5976018, "lfw.tgz", "lfw"),
                    *(180566744, "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0"),
                ),
                (
                    *("funneled", 5976015, "lfw-funneled.tgz", "lfw_funneled"),
                    *(None, "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a"),
                ),
            )
        ),
        defaults={"variant": "original"},
    ),
    Known(
        "imagenet",
        "ImageNet-1k, ILSVRC2012 (Russakovsky et al. 2015)",
        _RESEARCH,
        tuple(
            Remote(f"{_IMAGENET}/ILSVRC/2012/ILSVRC2012_img_{split}.tar", size, sha256, when={"split": split})
            for split, size, sha256 in (
                ("train", 147897477120, "b08200a27a8e34218a0e58fde36b0fe8f73bc377f4acea2d91602057c3ca45bb"),
                ("val", 6744924160, "c7e06a6c0baccf06d8dbeb6577d71efff84673a5dbdd50633ab44f8ea0456ae0"),
            )
        ),
        defaults={"split": "train"},
        agreement=_RESEARCH,
        by_hand=_ACCOUNT,
    ),
    # Two hashes of these are about, of an older file and of the present one, so we know none.
    *(
        Known(
            f"imagenet{side}",
            f"ImageNet-1k, downsampled to {side} x {side} (Chrabaszcz et al. 2017)",
            _RESEARCH,
            tuple(
                Remote(f"{_IMAGENET}/downsample/{name}.zip", when={"split": part.partition("_")[0]}, unpacks_to=name)
                for part in parts
                for name in (f"Imagenet{side}_{part}_npz",)
            ),
            defaults={"split": "train"},
            agreement=_RESEARCH,
            by_hand=_ACCOUNT,
        )
        for side, parts in ((32, ("train", "val")), (64, ("train_part1", "train_part2", "val")))
    ),
    Known(
        "svhn",
        "Street View House Numbers, cropped digits (Netzer et al. 2011)",
        "for non-commercial use only",
        tuple(
            Remote(f"{_SVHN}/{split}_32x32.mat", size, sha256, when={"split": split})
            for split, size, sha256 in (
                ("train", 182040794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
                ("test", 64275384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
                ("extra", 1329278602, "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3"),
            )
        ),
        agreement="for non-commercial use only",
    ),
    *(
        Known(
            f"cifar{classes}",
            f"CIFAR-{classes}, binary version (Krizhevsky 2009)",
            _NO_LICENCE,
            (Remote(f"{_CIFAR}/cifar-{classes}-binary.tar.gz", size, sha256, unpacks_to=folder),),
        )
        for classes, folder, size, sha256 in (
            (10, "cifar-10-batches-bin", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
            (100, "cifar-100-binary", 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
        )
    ),
    Known(
        "mnist",
        "MNIST (LeCun, Cortes & Burges)",
        "Creative Commons Attribution-ShareAlike 3.0",
        _idx(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
    ),
    Known(
        "fashion-mnist",
        "Fashion-MNIST (Xiao et al. 2017)",
        "MIT",
        _idx(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
    ),
    Known(
        "stl10",
        "STL-10, binary version (Coates et al. 2011)",
        _NO_LICENCE,
        (
            Remote(
                "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                2640397119,
                "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
                unpacks_to="stl10_binary",
            ),
        ),
    ),
    Known(
        "facades",
        "CMP facades beside their label maps (Tylecek & Sara 2013), as packed for pix2pix (Isola et al. 2017)",
        "no licence is stated with this copy",
        (Remote("http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/facades.tar.gz", 30168306, unpacks_to="facades"),),
    ),
)

CATALOG: dict[str, Known] = {each.name: each for each in _KNOWN}
