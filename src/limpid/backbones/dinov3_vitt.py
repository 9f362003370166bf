"""DINOv3 tiny: 192 channels, distilled from S/16 by DEIMv2 (Huang et al., 2025, arXiv:2509.20787), no registers."""

from functools import partial

from torch.nn import LayerNorm

from limpid.backbones._backbone import Home
from limpid.backbones._dinov3 import DEIM_PAGE, Dinov3
from limpid.catalogue import Entry

ENTRY = Entry(
    build=partial(
        Dinov3,
        architecture="vit_tiny_patch16_dinov3_qkvb",
        home=Home(files=("deimv2_dinov3_s_wholebody34.pth", "vitt_distill.pt"), page=DEIM_PAGE),
        settings={
            "num_reg_tokens": 0,
            "init_values": None,
            "attn_type": "rope",  # the only attention of timm that keeps the bias of the keys
            "norm_layer": partial(LayerNorm, eps=1e-6),
            "use_post_transformer_norm": False,
        },
    ),
    source="Huang et al., 2025, arXiv:2509.20787 (Apache-2.0), after DINOv3 (DINOv3 licence)",
)
