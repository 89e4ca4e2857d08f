"""The general entries: what is not one paper's own. Import strings only."""

from __future__ import annotations

from ganskit.hookspecs import hookimpl
from ganskit.registry import Registry


@hookimpl
def ganskit_register(registry: Registry) -> None:
    """Register the general game, losses, optimisers and datasets."""
    registry.game("two-player", "ganskit.two_player:TwoPlayer", "A generator against a discriminator (Goodfellow 2014)")
    registry.loss("non-saturating", "ganskit.losses:NonSaturating", "Goodfellow 2014, section 3: G maximises log D(G(z))")
    registry.loss("minimax", "ganskit.losses:Minimax", "Goodfellow 2014, eq. 1: G minimises log(1 - D(G(z)))")
    registry.optimizer("adam", "ganskit.optim:Adam", "Kingma & Ba 2015; defaults of Radford 2016, section 4")
    registry.optimizer("sgd", "ganskit.optim:SGD", "Stochastic gradient descent with momentum")
    registry.optimizer("rmsprop", "ganskit.optim:RMSprop", "Tieleman & Hinton 2012")
    tiny = {"num_images": 64, "size": 16}
    registry.dataset("rooms", "ganskit.data.rooms:Rooms", "Bedrooms drawn by ganskit; needs no download", tiny)
    registry.dataset("portraits", "ganskit.data.portraits:Portraits", "Faces drawn by ganskit; needs no download", tiny)
    registry.dataset("folder", "ganskit.data.folder:Folder", "A folder of pictures, flat or one subfolder per class")
    registry.dataset("zip", "ganskit.data.archive:Zip", "Pictures in a .zip file, read without extracting it")
    registry.dataset("store", "ganskit.data.prepared:Prepared", "A store that was prepared before, by its folder")
    registry.dataset("lsun", "ganskit.data.lsun:Lsun", "LSUN, any scene or object: the LMDB or the downloaded .zip")
    registry.dataset("celeba", "ganskit.data.celeba:CelebA", "CelebA: aligned faces, forty attributes, the official partition")
    registry.dataset("lfw", "ganskit.data.lfw:Lfw", "Labeled Faces in the Wild, people as labels")
    registry.dataset("imagenet", "ganskit.data.imagenet:ImageNet", "ImageNet-1k: the tar of tars, or the extracted tree")
    registry.dataset("imagenet32", "ganskit.data.imagenet_npz:ImageNet32", "ImageNet squeezed to 32x32: the .npz batches")
    registry.dataset("imagenet64", "ganskit.data.imagenet_npz:ImageNet64", "ImageNet squeezed to 64x64: the .npz batches")
    registry.dataset("cifar10", "ganskit.data.cifar:Cifar10", "CIFAR-10, the binary version")
    registry.dataset("cifar100", "ganskit.data.cifar:Cifar100", "CIFAR-100, the binary version")
    registry.dataset("svhn", "ganskit.data.svhn:Svhn", "Street View House Numbers, cropped digits: the .mat files")
    registry.dataset("stl10", "ganskit.data.stl10:Stl10", "STL-10, the binary version")
    registry.dataset("mnist", "ganskit.data.mnist:Mnist", "MNIST, the idx files")
    registry.dataset("fashion-mnist", "ganskit.data.mnist:FashionMnist", "Fashion-MNIST, the idx files")
    registry.dataset("crops", "ganskit.data.boxes:Crops", "Boxes cut out of photographs, as a table (.csv) says")
    registry.dataset("pairs", "ganskit.data.pairs:Pairs", "Pairs of pictures: side by side in one file, or in two folders")
    registry.dataset("facades", "ganskit.data.pairs:Facades", "CMP facades, photograph and label map side by side")
    registry.dataset("two-domains", "ganskit.data.domains:TwoDomains", "Two unpaired folders of pictures, as CycleGAN's")
    registry.dataset("parquet", "ganskit.data.parquet:Parquet", "Hugging Face's parquet files with pictures in them")
    registry.dataset("webdataset", "ganskit.data.webdataset:WebDataset", "Tars of pictures and labels, as WebDataset packs them")
    registry.dataset("room-boxes", "ganskit.data.rooms.boxes:RoomBoxes", "Drawn bedrooms with boxes of what is in them", tiny)
    where = "ganskit.data.portraits.attributes:PortraitAttributes"
    registry.dataset("portrait-attributes", where, "Drawn faces with yes-or-no attributes", tiny)
    registry.game("detection", "ganskit.evaluate.rooms.game:Detection", "Tian 2019 (FCOS), section 3", {}, "room-detector")
    net = "ganskit.evaluate.rooms.game:DetectorNet"
    registry.architecture("detector.net", net, "Picture -> 8x8 cells of objects", {"width": 4}, "room-detector")
    small = {"nets.detector.width": 4}
    registry.recipe("room-detector", "ganskit.evaluate.rooms.game:recipe", "Finds windows, beds and more in drawn rooms", small)
    registry.evaluator(
        "memorise", "ganskit.evaluate.memorise:Memorise", "Radford 2016, section 4.1: samples beside the nearest real pictures",
        {"num": 16, "nearest": 2, "coder_samples": 512}, "dcgan-cifar10",
    )  # fmt: skip
    where = "ganskit.evaluate.learned"
    registry.game("classifier", f"{where}.game:Classification", "Learning labels: softmax or binary cross-entropy")
    net = "Strided convolutions with group norm: features and logits"
    registry.architecture("classifier.net", f"{where}.net:Convolutional", net, {"width": 4})
    registry.dataset(
        "stacked-mnist",
        "ganskit.data.stacked_mnist:StackedMnist",
        "Metz 2017, section 3.3.1: three digits as channels",
    )
    where = "ganskit.evaluate.sliced_wasserstein:SlicedWasserstein"
    registry.evaluator("sliced-wasserstein", where, "Karras 2018, section 5", {"num": 16, "projections": 8})
    two_modes = {"num": 16, "centres": [[-0.5] * 192, [0.5] * 192], "std": 0.1}
    where, summary = "ganskit.evaluate.modes:ModeCoverage", "Modes of a mixture: Srivastava 2017 and Lin 2018, section 4.1"
    registry.evaluator("mode-coverage", where, summary, two_modes)
    digits = {"use": "portraits", "num_images": 64, "size": 32}
    registry.evaluator(
        "stacked-modes", "ganskit.evaluate.stacked_modes:StackedModes", "Modes of Stacked MNIST: Metz 2017; Lin 2018, 4.2",
        {"num": 64, "train_samples": 64, "digits": digits}, "dcgan-cifar10",
    )  # fmt: skip
    where, few = "ganskit.evaluate.fidelity", {"num": 4, "batch_size": 4}
    registry.evaluator("fid", f"{where}.evaluators:Fid", "Heusel 2017, section 2", few | {"allow_few": True})
    registry.evaluator("kid", f"{where}.evaluators:Kid", "Bińkowski 2018, section 4", few | {"subset_size": 2, "subsets": 2})
    registry.evaluator("precision-recall", f"{where}.evaluators:PrecisionRecall", "Kynkäänniemi 2019, eqs. 1 and 2", few)
    one_split = few | {"splits": 1, "allow_few": True}
    registry.evaluator("inception-score", f"{where}.evaluators:InceptionScore", "Salimans 2016, section 4", one_split)
    registry.evaluator("ppl", f"{where}.ppl:Ppl", "Karras 2019, section 4.1", few)
    drawn = {"use": "rooms", "num_images": 64, "size": 64}
    registry.evaluator(
        "fd", f"{where}.fd:Fd", "Fréchet and kernel distance in a net trained here",
        {"num": 8, "subset_size": 4, "subsets": 2, "allow_few": True, "train_samples": 64, "data": drawn, "learn_from": drawn},
        "dcgan-rooms",
    )  # fmt: skip
    labelled = {"use": "portraits", "num_images": 64, "size": 32}
    registry.evaluator(
        "svm", "ganskit.evaluate.svm.evaluator:Svm", "Radford 2016, section 5: an L2-SVM on a discriminator's features",
        {"data": labelled, "Cs": [1e-3], "batches": 1}, "dcgan-cifar10",
    )  # fmt: skip
    registry.evaluator(
        "kmeans-features", "ganskit.evaluate.kmeans:KMeansFeatures", "Coates 2011: one layer of K-means, and the same SVM",
        {"data": labelled, "Cs": [1e-3], "centroids": 4, "patches": 64, "iterations": 1}, "dcgan-cifar10",
    )  # fmt: skip
    registry.evaluator(
        "supervised", "ganskit.evaluate.supervised:Supervised", "Radford 2016, section 5.2: D's architecture on the labels alone",
        {"data": labelled, "per_class": 2, "trials": 1, "epochs": 1}, "dcgan-cifar10",
    )  # fmt: skip
