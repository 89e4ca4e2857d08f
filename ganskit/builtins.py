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
    registry.dataset("lsun", "ganskit.data.lsun:Lsun", "LSUN's LMDB format, any category")
    registry.dataset("cifar10", "ganskit.data.cifar:Cifar10", "CIFAR-10, the binary version")
    registry.dataset("store", "ganskit.data.prepared:Prepared", "A store that was prepared before, by its folder")
    registry.dataset("mnist", "ganskit.data.mnist:Mnist", "MNIST, the idx files")
