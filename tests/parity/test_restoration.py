"""NAFNet, rstor's U-Net and stacked convolutions give what independent implementations give, from published keys alone."""

import pytest
import torch
import torch.nn.functional as F

import golden_cases as golden
from limpid import catalogue, create_model
from limpid.checkpoints.convert._shapes import shapes_of

CASES = ["nafnet_gopro_width32", "rstor_unet", "stacked_convolutions"]
CONVERTERS = {"nafnet_gopro_width32": "nafnet", "rstor_unet": "unet", "stacked_convolutions": "stacked", "ibcln": "ibcln"}
COUNTS = {  # restoration.md §3
    ("nafnet", "gopro_width32"): 17_111_907,
    ("nafnet", "gopro_width64"): 67_888_835,
    ("nafnet", "reds_width64"): 67_888_835,
    ("nafnet", "sidd_width32"): 29_159_715,
    ("nafnet", "sidd_width64"): 115_982_915,
    ("nafnet", "rstor_full"): 41_437_323,
    ("nafnet", "rstor_light"): 13_721_687,
    ("nafnet", "rstor_3m"): 3_436_115,
    ("nafnet", "rstor_226k"): 226_211,
    ("unet", "full"): 32_530_699,
    ("unet", "light"): 11_697_367,
    ("unet", "3m"): 2_928_083,
    ("stacked", "width16"): 28_723,
    ("stacked", "width64"): 446_659,
}


def converter(name):
    return catalogue.find("converters", name).build()


def build(name, settings):
    return catalogue.find("models", name).build(**settings)


def published_shapes(model, settings):
    return {key.replace(".attention.", ".sca."): shape for key, shape in shapes_of(model, settings).items()}


@pytest.mark.parametrize("name", CASES)
def test_golden_case(name):
    case, reader = golden.case(name), converter(CONVERTERS[name])
    network = build(reader.model, reader.recognise(case.shapes)).eval()
    network.load_state_dict(reader.convert(case.tensors), strict=True)
    with torch.inference_mode():
        restored = network(case.arrays["input"])["restored"]
    assert float((restored - case.arrays["output"]).abs().max()) < 1e-4 * float(case.arrays["output"].std())


@pytest.mark.parametrize("reader", sorted(set(CONVERTERS.values())))
def test_each_converter_recognises_its_own_cases_alone(reader):
    recognised = [name for name in golden.names() if converter(reader).recognise(golden.shapes(name)) is not None]
    assert recognised == [name for name, wanted in CONVERTERS.items() if wanted == reader]


@pytest.mark.parametrize(("model", "size"), COUNTS)
def test_published_parameter_counts(model, size):
    with torch.device("meta"):
        network = create_model(model, size)
    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[model, size]


def test_other_published_counts():
    with torch.device("meta"):
        official = create_model("nafnet", "rstor_3m", feed_forward=None)
        unbiased = create_model("stacked", "width16", bias=False)
    assert sum(parameter.numel() for parameter in official.parameters()) == 4_933_571
    assert sum(parameter.numel() for parameter in unbiased.parameters()) == 28_512
    assert len(shapes_of("nafnet", catalogue.find("models", "nafnet").sizes["sidd_width32"])) == 664


SIZES = [(model, size) for model in ("nafnet", "unet", "stacked", "ibcln") for size in catalogue.find("models", model).sizes]


@pytest.mark.parametrize(("model", "size"), SIZES)
def test_every_size_is_recognised_with_its_settings(model, size):
    settings = catalogue.find("models", model).sizes[size]
    found = converter(model).recognise(published_shapes(model, settings))
    assert found is not None
    assert {**found, **settings} == found


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("nafnet", {"width": 6, "encoder": (2, 1), "middle": 3, "decoder": (1, 2), "feed_forward": 10}),
        ("nafnet", {"width": 6, "encoder": (1,), "decoder": (1,), "norm": False}),
        ("nafnet", {"width": 6, "encoder": (1,), "decoder": (1,), "attention": False}),
        ("unet", {"width": 6, "encoder": (1, 2), "decoder": (3, 1), "feed_forward": None, "norm": True}),
        ("unet", {"width": 6, "encoder": (1,), "decoder": (1,), "attention": True}),
        ("stacked", {"width": 5, "layers": 6, "kernel": 7, "bias": False}),
        ("ibcln", {"width": 10}),
    ],
)
def test_other_variants_are_recognised(model, settings):
    found = converter(model).recognise(published_shapes(model, settings))
    assert found is not None
    assert {**found, **settings} == found


@pytest.mark.parametrize("model", ["nafnet", "unet", "stacked", "ibcln"])
def test_what_does_not_fit_is_refused(model):
    shapes = published_shapes(model, catalogue.find("models", model).sizes["tiny"])
    first, last = min(shapes), max(shapes)
    assert converter(model).recognise({}) is None
    assert converter(model).recognise({**shapes, "stranger.weight": (1,)}) is None
    assert converter(model).recognise({key: shape for key, shape in shapes.items() if key != last}) is None
    assert converter(model).recognise({**shapes, first: (*shapes[first][:-1], shapes[first][-1] + 1)}) is None


def test_names_of_one_convolution_that_disagree_are_refused():
    shapes = published_shapes("stacked", {"width": 5, "layers": 4})
    assert converter("stacked").recognise({**shapes, "conv_in_modality.conv.weight": (5, 3, 3, 3)}) is not None
    assert converter("stacked").recognise({**shapes, "conv_in_modality.conv.weight": (6, 3, 3, 3)}) is None


def naive_block(tensors, at, x):
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


def naive_network(tensors, photo, encoder, middle, decoder):
    height, width = photo.shape[-2:]
    multiple = 2 ** len(encoder)
    padded = torch.zeros(*photo.shape[:2], -(-height // multiple) * multiple, -(-width // multiple) * multiple)
    padded[..., :height, :width] = photo
    x, skips = F.conv2d(padded, tensors["intro.weight"], tensors["intro.bias"], padding=1), []
    for level, count in enumerate(encoder):
        for index in range(count):
            x = naive_block(tensors, f"encoders.{level}.{index}.", x)
        skips.append(x)
        x = F.conv2d(x, tensors[f"downs.{level}.weight"], tensors[f"downs.{level}.bias"], stride=2)
    for index in range(middle):
        x = naive_block(tensors, f"middle_blks.{index}.", x)
    for level, count in enumerate(decoder):
        x = F.pixel_shuffle(F.conv2d(x, tensors[f"ups.{level}.0.weight"]), 2) + skips.pop()
        for index in range(count):
            x = naive_block(tensors, f"decoders.{level}.{index}.", x)
    return (padded + F.conv2d(x, tensors["ending.weight"], tensors["ending.bias"], padding=1))[..., :height, :width]


@pytest.mark.parametrize(
    ("model", "variant"),
    [
        ("nafnet", {"feed_forward": 2}),
        ("nafnet", {}),
        ("nafnet", {"norm": False}),
        ("nafnet", {"attention": False}),
        ("unet", {}),
        ("unet", {"norm": True, "attention": True, "feed_forward": None}),
    ],
)
def test_variants_of_any_size_agree_with_the_plain_formulas(model, variant):
    frame = {"encoder": (1, 2, 1), "middle": 2, "decoder": (2, 1, 1)}
    torch.manual_seed(1)
    scale = 0.1 if variant == {"norm": False} else 0.3  # gates square what nothing normalises
    tensors = {key: scale * torch.randn(shape) for key, shape in published_shapes(model, {"width": 8, **frame, **variant}).items()}
    reader = converter(model)
    network = build(model, reader.recognise({key: tuple(tensor.shape) for key, tensor in tensors.items()})).eval()
    network.load_state_dict(reader.convert(tensors), strict=True)
    photo = torch.rand(2, 3, 45, 67)
    with torch.inference_mode():
        restored, expected = network(photo)["restored"], naive_network(tensors, photo, **frame)
    assert float((restored - expected).abs().max()) < 1e-4 * float(expected.std())
