"""DINOv3 S/16: 384 channels, twelve blocks (Siméoni et al., 2025, arXiv:2508.10104)."""

from functools import partial

from limpid.backbones._dinov3 import Dinov3, meta_home
from limpid.catalogue import Entry

ENTRY = Entry(
    build=partial(
        Dinov3,
        architecture="vit_small_patch16_dinov3_qkvb",
        home=meta_home("dinov3_vits16_pretrain_lvd1689m-08c60483.pth", "vit_small_patch16_dinov3_qkvb"),
    ),
    source="Siméoni et al., 2025, arXiv:2508.10104; Meta's weights (DINOv3 licence), LVD-1689M",
)
