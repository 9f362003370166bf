"""BaseNet: ERRNet (Wei et al., CVPR 2019, arXiv:1904.00637) without channel attention and pyramid pooling."""

from functools import partial

from limpid.backbones.vgg19 import FIRSTS
from limpid.catalogue import ModelEntry
from limpid.models.errnet import Errnet

ENTRY = ModelEntry(
    build=partial(Errnet, attention=None, pyramid=False),
    source="Wei et al., CVPR 2019, arXiv:1904.00637; published code Vandermode/ERRNet",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "hypercolumn": {},
        "plain": {"hypercolumn": ()},
        "tiny": {"hypercolumn": FIRSTS[:2], "width": 16, "blocks": 1},
    },
)
