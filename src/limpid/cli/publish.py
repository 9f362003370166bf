"""``limpid publish``: a folder that a model hub takes."""

from limpid.cli.from_options import takes
from limpid.evaluation.publish_options import PublishOptions
from limpid.progress import tell


@takes(PublishOptions)
def publish(options: PublishOptions) -> None:
    """Write DIR with weights, config.json and a card (licence, data, scores), as a model hub takes it; nothing is sent.

    limpid publish runs/mine/best.safetensors mine --licence cc-by-4.0 --data "200 pairs of ours" --report reports/mine
    """
    from limpid.evaluation.publish import publish as write

    for path in write(options):
        tell(str(path))
