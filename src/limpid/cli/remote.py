"""``limpid remote``: trainings on other machines."""

from limpid.cli.from_options import takes
from limpid.progress import say, tell
from limpid.remote.options import BundleOptions, KaggleOptions


@takes(KaggleOptions)
def kaggle(options: KaggleOptions) -> None:
    """Build a Kaggle notebook that trains recipes; --push starts it, --status asks for it, --pull fetches its runs.

    limpid remote kaggle nafnet_denoise_leaves --user me --data LEAVES512=me/leaves512 --data HELD=me/kodak --push
    """
    from limpid.remote import kaggle as client

    if options.status:
        tell(client.status(options))
    elif options.pull:
        for path in client.pull(options):
            tell(str(path))
    elif options.push:
        tell(client.push(options))
    else:
        tell(str(client.build(options)))
        say("nothing was sent; look through it, then add --push")


@takes(BundleOptions)
def bundle(options: BundleOptions) -> None:
    """Write a zip with this code, recipes and run.sh, which trains on any machine with Python: Colab, RunPod, one by SSH.

    limpid remote bundle limpid_denoise train.epochs=20 -o bundle.zip
    """
    from limpid.remote.bundle import write_bundle

    tell(str(write_bundle(options)))
