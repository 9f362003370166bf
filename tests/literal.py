"""Published networks written out as their specifications say, slowly and plainly, to compare ours with."""

import torch
import torch.nn.functional as F

from limpid.models.hypercolumn import DILATIONS


def errnet(network, photo):
    """Transmission of ERRNet as the specification writes it down, stacks and all; BaseNet has neither attention nor pyramid."""
    size = photo.shape[-2:]
    up = [F.interpolate(f, size=size, mode="bilinear", align_corners=False) for f in network.backbone(photo).values()]
    features = F.relu(network.conv1(torch.cat([photo, *up], dim=1)))
    features = F.relu(network.conv3(F.relu(network.conv2(features))))
    for block in network.res_module:
        change = block.conv2(F.relu(block.conv1(features)))
        if block.se_layer is not None:
            change = change * block.se_layer.fc(change.mean(dim=(2, 3)))[..., None, None]
        features = features + 0.1 * change
    features = F.relu(network.deconv2(F.relu(network.deconv1(features))))
    if (pyramid := network.pyramid_module) is not None:
        levels = [F.interpolate(stage(features), size=features.shape[-2:], mode="nearest") for stage in pyramid.stages]
        features = F.leaky_relu(pyramid.bottleneck(torch.cat([*levels, features], dim=1)), 0.2)
    return F.relu(network.deconv3(features))


def hypercolumn(network, photo, size=None):
    """Layers of the hypercolumn network as the specification writes it down: the whole hypercolumn, norms apart."""
    size = size or photo.shape[-2:]
    maps = network.backbone(photo)
    if hasattr(network, "projector"):
        maps = {tap: network.reducers[tap](features) for tap, features in maps.items()}
    up = [F.interpolate(features, size=size, mode="bilinear", align_corners=False) for features in (*maps.values(), photo)]
    features = torch.cat(up, dim=1)
    if hasattr(network, "projector"):
        features = network.projector(features)

    def stage(number, x):
        module = getattr(network, f"conv{number}")
        z = F.conv2d(x, module.conv.weight, module.conv.bias, padding=module.conv.padding, dilation=module.conv.dilation)
        bn = module.norm.bn
        normed = F.batch_norm(z, bn.running_mean, bn.running_var, bn.weight, bn.bias, False, 0.0, bn.eps)
        return F.leaky_relu(module.norm.w0 * z + module.norm.w1 * normed, 0.2)

    features = entered = stage(0, features)
    for index, number in enumerate(DILATIONS):
        if network.variant == "baseline":
            features = stage(number, features)
        elif network.variant == "residual_skips":
            features = features + network.residual_scales[index] * stage(number, features)
        else:
            entered = features if index % 4 == 0 else entered
            features = features + network.rir_inner_scales[index] * stage(number, features)
            if index % 4 == 3:
                features = entered + network.rir_group_scales[index // 4] * (features - entered)
    transmission, reflection = F.conv2d(features, network.conv_last.weight, network.conv_last.bias).chunk(2, dim=1)
    if hasattr(network, "output_skip_scale"):
        transmission = up[-1] + network.output_skip_scale * transmission
    return transmission, reflection


def _naf_block(tensors, at, x):
    """One published block written out plainly; what it is made of shows in its tensors."""

    def conv(name, value, **options):
        return F.conv2d(value, tensors[f"{at}{name}.weight"], tensors[f"{at}{name}.bias"], **options)

    def norm(name, value):
        if f"{at}{name}.weight" not in tensors:
            return value
        mean, variance = value.mean(1, keepdim=True), value.var(1, keepdim=True, correction=0)
        scale, offset = (tensors[f"{at}{name}.{part}"][None, :, None, None] for part in ("weight", "bias"))
        return (value - mean) / (variance + 1e-6).sqrt() * scale + offset

    gated = tensors[f"{at}conv2.weight"].shape[1] == 1
    spread = len(tensors[f"{at}conv2.weight"])

    def activate(value):
        half = value.shape[1] // 2
        return value[:, :half] * value[:, half:] if gated else value.clamp(min=0)

    inner = activate(conv("conv2", conv("conv1", norm("norm1", x)), padding=1, groups=spread))
    if f"{at}sca.1.weight" in tensors:
        inner = inner * conv("sca.1", F.adaptive_avg_pool2d(inner, 1))
    x = x + tensors[f"{at}beta"] * conv("conv3", inner)
    return x + tensors[f"{at}gamma"] * conv("conv5", activate(conv("conv4", norm("norm2", x))))


def naf(tensors, photo, encoder, middle, decoder):
    """NAFNet and rstor's U-Net from published tensors, padded with zeros."""
    height, width = photo.shape[-2:]
    multiple = 2 ** len(encoder)
    padded = photo.new_zeros(*photo.shape[:2], -(-height // multiple) * multiple, -(-width // multiple) * multiple)
    padded[..., :height, :width] = photo
    x, skips = F.conv2d(padded, tensors["intro.weight"], tensors["intro.bias"], padding=1), []
    for level, count in enumerate(encoder):
        for index in range(count):
            x = _naf_block(tensors, f"encoders.{level}.{index}.", x)
        skips.append(x)
        x = F.conv2d(x, tensors[f"downs.{level}.weight"], tensors[f"downs.{level}.bias"], stride=2)
    for index in range(middle):
        x = _naf_block(tensors, f"middle_blks.{index}.", x)
    for level, count in enumerate(decoder):
        x = F.pixel_shuffle(F.conv2d(x, tensors[f"ups.{level}.0.weight"]), 2) + skips.pop()
        for index in range(count):
            x = _naf_block(tensors, f"decoders.{level}.{index}.", x)
    return (padded + F.conv2d(x, tensors["ending.weight"], tensors["ending.bias"], padding=1))[..., :height, :width]
