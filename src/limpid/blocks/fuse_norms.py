"""Normalisations by stored statistics as a part of the convolutions before them, for inference."""

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_norms(network: nn.Module) -> int:
    """Multiply each batch norm into its convolution, in place, and leave nothing where it was; how many there were.

    Found are modules that hold a ``conv`` and, right after it, a ``bn``, as in timm's HGNetV2. The network then answers as it did
    in evaluation mode, up to rounding, but has other keys and can be trained no more. The adaptive norms of the hypercolumn network
    fold themselves in every forward; norms by the statistics of the photo itself cannot be folded.
    """
    folded = 0
    for module in network.modules():
        convolution, norm = getattr(module, "conv", None), getattr(module, "bn", None)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(convolution.eval(), norm.eval())
            module.bn = nn.Identity()
            folded += 1
    return folded
