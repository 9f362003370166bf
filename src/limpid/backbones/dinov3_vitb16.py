"""DINOv3 B/16: 768 channels, twelve blocks (Siméoni et al., 2025, arXiv:2508.10104)."""

from functools import partial

from limpid.backbones._dinov3 import Dinov3, meta_home
from limpid.catalogue import Entry

ENTRY = Entry(
    build=partial(
        Dinov3,
        architecture="vit_base_patch16_dinov3_qkvb",
        home=meta_home("dinov3_vitb16_pretrain_lvd1689m-73cec8be.pth", "vit_base_patch16_dinov3_qkvb"),
    ),
    source="Siméoni et al., 2025, arXiv:2508.10104; Meta's weights (DINOv3 licence), LVD-1689M",
)
