"""``limpid export``: a network as an ONNX file that says what it is and has been seen to answer as the network does."""

from dataclasses import dataclass
from pathlib import Path

from limpid import catalogue
from limpid._version import __version__
from limpid.checkpoints.onnx_file import SUFFIX, OnnxAbout, Range, describe, read_onnx
from limpid.errors import UsageError
from limpid.files import replacing
from limpid.layers.network import LayerNetwork
from limpid.models.errnet import Errnet
from limpid.models.hypercolumn import Hypercolumn
from limpid.runtime.confidence import PREVIEW_SIDE
from limpid.runtime.export_graph import LEAST, LEAST_PYRAMID, ExportError, Head, Sizes, Whole, graph_of, trace
from limpid.runtime.gate_graph import gate_of
from limpid.runtime.load import load
from limpid.runtime.narrow_weights import narrowed
from limpid.runtime.onnx_network import session
from limpid.runtime.options import ExportOptions
from limpid.runtime.parity import Difference, check_parity
from limpid.runtime.quantise import to_eight_bits, to_float16
from limpid.runtime.separator import Separator
from limpid.weights import manifest

_MORE_MEMORY = 1.6  # times PyTorch's, what ONNX Runtime's planner takes (measured at 1024×1024, docs/performance.md)

_STRIDES = {"hgnetv2": 32}  # of all others 16


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written: path, what the file says, bytes, nodes of the graph, and how far it is from PyTorch at each size."""

    path: Path
    about: OnnxAbout
    bytes: int
    nodes: int
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> float:
        """The largest difference of all."""
        return max(one.largest for one in self.differences)


def export(options: ExportOptions) -> Exported:
    """Write a network as ONNX and compare both; the file appears when they agree.

    Raises UsageError for what contradicts itself, ExportError for what cannot be exported, before it is tried where that is known,
    and where the graph answers otherwise, MissingExtraError, and what ``load`` raises.
    """
    _check(options)
    separator = load(
        options.model,
        "cpu",
        "float32",
        options.backbone_weights,
        task=options.task,
        weights=options.weights,
        offline=options.offline,
    )
    network = separator.network
    network.answers_residual = False  # the runtime's own remainder serves
    network.eval().requires_grad_(False)
    sizes = _sizes(network, options)
    graph = graph_of(network, options.head_only)
    if isinstance(network, Hypercolumn):
        network.head_size = options.head
    about = _about(separator, graph, sizes, options)
    model = trace(graph, about.layers, sizes, options.opset)
    gate = gate_of(network, about, options.opset)
    if options.precision == "float16":
        model = to_float16(model)
    if options.quantise:
        model = to_eight_bits(model, graph, sizes, options.calibrate)
    if options.precision == "float32" and not options.quantise:
        model = narrowed(model)
    describe(model, about, None if gate is None else narrowed(gate))
    with replacing(options.output) as partial:
        partial.write_bytes(model.SerializeToString())
        differences = check_parity(graph, session(read_onnx(partial)), about, sizes)
    return Exported(
        path=options.output,
        about=about,
        bytes=options.output.stat().st_size,
        nodes=len(model.graph.node),
        differences=tuple(differences),
    )


def _check(options: ExportOptions) -> None:
    out = options.output
    if out.suffix != SUFFIX:
        raise UsageError(f"{out} must end in {SUFFIX}")
    if out.exists() and not options.overwrite:
        raise UsageError(f"{out} exists; choose another name or add --overwrite")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no folder; create it or choose another place")
    if Path(options.model).suffix == SUFFIX:
        raise UsageError(f"{options.model} is an ONNX file already; name the weights that it was made from")


def _sizes(network: LayerNetwork, options: ExportOptions) -> Sizes:
    """Which sizes the graph takes. Raises ExportError for what the network cannot be run at, or not at any size."""
    inner = network.pads_to[0] if network.pads_to else 1
    multiple = max(network.needs.multiple, inner)
    if isinstance(network, Hypercolumn):
        multiple = max(multiple, _STRIDES.get(network.backbone_name, 16))  # of the deepest maps
    least = LEAST_PYRAMID if isinstance(network, Errnet) else LEAST
    minimum = max(network.needs.minimum, least if options.static is None else 1)
    if options.static is not None:
        for side in options.static:
            if side % multiple or side < minimum:
                raise ExportError(f"--static takes multiples of {multiple} from {minimum} on for this network; got {side}")
    if options.head is not None and not isinstance(network, Hypercolumn):
        raise ExportError("only hypercolumn networks have a head that runs at another size; leave out --head")
    return Sizes(size=options.static, multiple=multiple, minimum=minimum, batch=options.batch)


def _about(separator: Separator, graph: Whole, sizes: Sizes, options: ExportOptions) -> OnnxAbout:
    network, needs = separator.network, separator.network.needs
    entry = catalogue.find("models", separator.model)
    row = next((row for row in manifest.rows().values() if row.sha256 == separator.sha256), None)
    inside = isinstance(network.pads_to, tuple) and sizes.size is None
    tasks = (separator.task.name, *(task for task in entry.tasks if task != separator.task.name))
    return OnnxAbout(
        model=separator.model,
        settings={"parameters": sum(parameter.numel() for parameter in network.parameters())},
        tasks=tasks,
        layers=separator.task.layers,
        graph="head" if isinstance(graph, Head) else "full",
        taps=tuple(graph.inputs[:-1]) if isinstance(graph, Head) else (),
        multiple=needs.multiple if inside else sizes.multiple,
        minimum=sizes.minimum,
        pads_to=network.pads_to if inside else None,
        phase=needs.phase,
        tiling=needs.tiling,
        resize=needs.resize,
        radius=network.radius,
        local_confidence=network.local_confidence,
        whole_confidence=network.whole_confidence,
        presence_limits=network.presence_limits,
        reduced_presence_limits=network.reduced_presence_limits,
        preview=PREVIEW_SIDE if network.presence_limits or network.whole_confidence else None,
        answer_range=_range(network),
        size=sizes.size,
        head=options.head,
        batch=sizes.batch,
        noise=tuple(network.get_parameter("noise").exp().tolist()) if "sharp" in graph.inputs else (),
        bytes_per_pixel=_MORE_MEMORY * separator.cost.bytes_per_pixel,
        precision=f"int8, {options.quantise}" if options.quantise else options.precision,
        weights_sha256=separator.sha256,
        version=__version__,
        source=entry.source,
        licence=row.licence if row else entry.licence,
        trained_on=row.trained_on if row else "",
    )


def _range(network: LayerNetwork) -> Range:
    """What brings the answers of a network to 0…1."""
    said = getattr(network, "output_range", "raw")
    if said == "half":
        return "half"
    return "stretch" if said == "stretch" else "unit"


def summary_of(exported: Exported) -> str:
    """What was written, for a person."""
    about = exported.about
    size = f"{about.size[0]}x{about.size[1]}" if about.size else f"any size, multiples of {about.multiple} from {about.minimum} px"
    checked = ", ".join(f"{width}×{height}" for height, width in dict.fromkeys(one.size for one in exported.differences))
    return (
        f"{exported.path}: {about.model}, {size}, {about.precision}, {exported.nodes} nodes, {exported.bytes / 1e6:.1f} MB;"
        f" largest difference to PyTorch {exported.largest:.1e} (at {checked})"
    )
