"""What the DCGAN paper states, and how it is tried on two CPU cores: on pictures that ganskit draws, with narrow nets."""

from __future__ import annotations

from ganskit.claims import Arm, Claim

BUDGET = ("samples=60000",)
"""A minute or two at 32x32 and nine to twelve at 64x64, on a core or two."""
ROOMS = ("samples=120000",)
"""About half of what dcgan-rooms has. After half of that its rooms are blurs still, in which there is nothing to forget."""
# the settings of the recipe dcgan-rooms, which suit a short training
SHORT = (
    "nets.G.width=32",
    "nets.D.width=32",
    "batch_size=32",
    "game.G_opt.lr=0.0005",
    "ema=0.99",
)
FACES = ("data=portraits", *SHORT, *BUDGET)
# "we train on Imagenet-1k and then use the discriminator's convolutional features" on other pictures (section 5.1)
PORTRAITS = ('data={use="portraits",size=32}', *SHORT, *BUDGET)
OTHERS = 'data={use="portraits",size=32,seed=1}'
"""Pictures that D has never seen."""
FEW_LABELS = (OTHERS, "per_class=25", "draws=3", "test_draws=10", "Cs=[0.0001,0.001,0.01]")

ONE_EPOCH = ('data={use="rooms",size=32,num_images=20000}', *SHORT, "samples=20000")
UNSEEN = ('held_out={use="rooms",size=32,seed=1}', "coder_samples=60000")
"""A sample as near to the training pictures as these are is no memory of them: `nearer` is then 0.5."""


def lsun() -> tuple[Claim, ...]:
    """Section 4.1."""
    return (
        Claim(
            states="After one epoch, memorisation is unlikely with minibatch SGD and a small learning rate.",
            where="section 4.1, fig. 2",
            ours=Arm(evaluator="memorise", number="nearer", options=UNSEEN, settings=ONE_EPOCH),
            relation="below",
            by=0.55,
        ),
        Claim(states="After five epochs there is visual under-fitting by repeated noise textures.", where="section 4.1, fig. 3"),
    )


def faces() -> tuple[Claim, ...]:
    """Section 6.3.2, figs. 7 and 8."""
    return (
        Claim(
            states="Arithmetic on the averaged z vectors of three exemplars gives the intended faces; single ones are unstable.",
            where="section 6.3.2, fig. 7",
            ours=Arm(evaluator="arithmetic", number="agreement", settings=FACES),
            baseline=Arm(evaluator="arithmetic", number="agreement_single", settings=FACES),
        ),
        Claim(
            states="A turn vector, of four averaged samples looking left and right, turns faces.",
            where="section 6.3.2, fig. 8",
            ours=Arm(evaluator="turn", number="correlation", settings=FACES),
            baseline=Arm(evaluator="turn", number="correlation_by_chance", settings=FACES),
            by=0.3,
        ),
    )


def imagenet32() -> tuple[Claim, ...]:
    """Section 5.1."""
    return (
        Claim(
            states="An L2-SVM on D's features classifies pictures: CIFAR-10 on 28,672 of them.",
            where="section 5.1, table 1",
            figure="82.8 % accuracy; 80.6 % with one layer of K-means",
            ours=Arm(evaluator="svm", number="accuracy", options=FEW_LABELS, settings=PORTRAITS),
            baseline=Arm(evaluator="svm", number="accuracy", options=(*FEW_LABELS, "features=pixels"), settings=PORTRAITS),
        ),
    )


def svhn() -> tuple[Claim, ...]:
    """Section 5.2."""
    return (
        Claim(
            states="An L2-SVM on D's 7,168 features classifies SVHN with 1,000 labels.",
            where="section 5.2, table 2",
            figure="22.48 % error",
        ),
        Claim(
            states="The architecture is not the key: the same CNN, trained on the labels alone, does worse.",
            where="section 5.2, table 2",
            figure="22.48 % error; 28.87 % for the CNN",
            ours=Arm(evaluator="svm", number="error", options=FEW_LABELS, settings=PORTRAITS),
            baseline=Arm(
                evaluator="supervised",
                number="error",
                options=(OTHERS, "per_class=25", "trials=16", "epochs=30"),
                settings=PORTRAITS,
            ),
            relation="below",
        ),
    )


def rooms() -> tuple[Claim, ...]:
    """Section 6, figs. 4 and 6."""
    return (
        Claim(
            states="Walking in the latent space shows no sharp transitions, which would be a sign of memorisation.",
            where="section 6.1, fig. 4",
            ours=Arm(evaluator="latent-walk", number="sharp_transitions", settings=ROOMS),
            relation="below",
            by=1,
        ),
        Claim(
            states="Without the feature maps that draw windows the generator mostly forgets to draw them.",
            where="section 6.3.1, fig. 6",
            ours=Arm(evaluator="forget", number="window_after", settings=ROOMS),
            baseline=Arm(evaluator="forget", number="window_before", settings=ROOMS),
            relation="below",
            by=-0.2,
        ),
        Claim(
            states="What else is in the room stays as it was: fewer beds go than windows.",
            where="section 6.3.1, fig. 6",
            ours=Arm(evaluator="forget", number="bed_kept", settings=ROOMS),
            baseline=Arm(evaluator="forget", number="window_kept", settings=ROOMS),
            by=0.3,
        ),
    )
