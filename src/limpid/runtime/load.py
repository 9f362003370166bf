"""From a name or a file to a Separator: ``limpid.load`` and ``limpid.separate``."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.blocks.fuse_norms import fold_norms
from limpid.blocks.retinex import ColourRetinex
from limpid.checkpoints import file
from limpid.checkpoints.experiment import newest_generator
from limpid.checkpoints.onnx_file import SUFFIX, read_onnx
from limpid.checkpoints.unwrap import Weights
from limpid.errors import UnknownNameError, UnrecognisedError, UsageError, WeightsError
from limpid.files import sha256
from limpid.image.read import Source
from limpid.layers.network import LayerNetwork, channels_last
from limpid.layers.separation import Separation
from limpid.layers.task import Task, find_task
from limpid.options import subject_with_keywords
from limpid.progress import say
from limpid.runtime.device import choose_device, choose_precision
from limpid.runtime.double_dip import DoubleDip
from limpid.runtime.foreign import MODEL, TASKS, open_foreign
from limpid.runtime.onnx_network import OnnxNetwork
from limpid.runtime.openvino_engine import Backend, OpenVinoEngine, choose_backend
from limpid.runtime.options import DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL, DeviceOptions, LoadOptions, separation_options
from limpid.runtime.separator import Separator
from limpid.weights import hub, manifest
from limpid.weights.fetch import forbidding_downloads

RETINEX = "retinex"
"""What ``--model`` calls the baseline of intrinsic images, which needs no weights."""

DEFAULT_TASK = "reflection"
"""What ``limpid.load()`` loads a network for."""


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """A file of weights, what messages call it, and the tasks that it is known to be for."""

    label: str
    path: Path
    sha256: str
    tasks: tuple[str, ...] = ()


def load(
    name: str | Path = "default",
    device: str = "auto",
    precision: str = "auto",
    backbone_weights: str = "pretrained",
    *,
    task: str | None = None,
    weights: Weights = "averaged",
    provider: str = "auto",
    backend: Backend = "auto",
    offline: bool = False,
) -> Separator:
    """Load a network ready to run on photos.

    ``name``: ``default`` (the shipped weights of ``task``), the name of shipped weights, a method without any (``retinex``,
    ``double_dip``, or ``double_dip_perceptual``, which looks through EfficientNet-Lite0),
    ``hf-hub:OWNER/NAME`` for those on the hub, or the path of a checkpoint, of an ONNX file or of an experiment's folder, whose
    newest generator is taken; ``weights``: ``averaged`` or ``raw`` where a file holds both. ``task``: what it is to do; None:
    reflection removal for ``default``, else what the network is usually for. ``device``: ``auto``, ``cpu``, ``cuda``, ``mps``, …;
    ``precision``: ``auto``, ``float32``, ``bfloat16`` or ``float16``; ``backbone_weights``: ``pretrained``, ``none`` or a path,
    for networks that have a backbone; ``provider``: what of ONNX Runtime runs an ONNX file, whose arithmetic is its own;
    ``backend``: ``torch``, ``openvino``, or ``auto``, the fastest that is installed and keeps the quality of shipped weights;
    ``offline``: nothing is downloaded.

    Raises UnknownNameError with the nearest name, WeightsError for damaged or foreign files, DeviceError, and UsageError for a
    backbone that is not there or a task that the network does not do.

    >>> load()  # the shipped weights against reflections
    Separator('limpid', transmission and reflection, cpu, ...)
    >>> load("limpid_denoise", precision="float32").task.name
    'denoise'
    """
    options = DeviceOptions(
        device=device,
        precision=precision,
        backbone_weights=backbone_weights,
        weights=weights,
        backend=backend,
        provider=provider,
        offline=offline,
    )
    return load_with(name, options, task)


def load_with(name: str | Path, options: DeviceOptions, task: str | None = None) -> Separator:
    """``load`` as the options of a command say what networks run on; raises what ``load`` raises."""
    with forbidding_downloads(options.offline):
        return _load(name, options, task)


def _load(name: str | Path, options: DeviceOptions, task: str | None) -> Separator:
    where = choose_device(options.device)
    if str(name) in (DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL):
        seen = options.backbone_weights if str(name) == DOUBLE_DIP_PERCEPTUAL else None
        return DoubleDip(find_task(task or DEFAULT_TASK), device=where, backbone_weights=seen)
    if str(name) == RETINEX:
        wanted = find_task(task or "intrinsic")
        if wanted.name != "intrinsic":
            raise UsageError(f"retinex splits albedo and shading; it does not do {wanted.name}")
        return Separator(ColourRetinex().to(where), wanted, name=RETINEX, model=RETINEX)
    found = _find(name, task or DEFAULT_TASK)
    if found.path.suffix == SUFFIX:
        return _load_onnx(found, task, options.provider)
    opened = _open(found, options.weights)
    network = opened.network
    chosen = _task(opened.tasks, task, found)
    for remark in opened.remarks:
        say(f"note: {found.path.name} {remark}")
    _fill_backbones(network, opened.model, options.backbone_weights)
    fold_norms(network)
    channels_last(network.to(where))
    arithmetic = choose_precision(options.precision, where, network.needs)
    made = Separator(network, chosen, name=found.label, model=opened.model, precision=arithmetic, sha256=found.sha256)
    if choose_backend(options.backend, network, where, sha256=found.sha256) == "openvino":
        made.engine = OpenVinoEngine(network, chosen.layers, arithmetic, found.sha256)
    return made


def _load_onnx(found: _Weights, task: str | None, provider: str) -> Separator:
    opened = read_onnx(found.path)
    about = opened.about
    if about.graph == "head":
        raise UsageError(f"{found.path} is the head of a network, for programs that have maps of a backbone; export the whole one")
    chosen = _task(about.tasks, task, found)
    network = OnnxNetwork(opened, provider)
    return Separator(network, chosen, name=found.label, model=about.model, precision="float32", sha256=found.sha256)


def _tasks(model: str, network: LayerNetwork) -> tuple[str, ...]:
    """What a network is for, where its settings decide that too."""
    names = network.layer_names
    return tuple(name for name in catalogue.find("models", model).tasks if names is None or find_task(name).layers == names)


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """The network of a file, its name in the catalogue, what it does, and what a person must hear of the file."""

    network: LayerNetwork
    model: str
    tasks: tuple[str, ...]
    remarks: tuple[str, ...]


def _open(found: _Weights, weights: Weights) -> _Opened:
    """A network of ours; one that is not is offered to spandrel."""
    try:
        checkpoint = file.read(found.path, weights)
    except UnrecognisedError as refusal:
        foreign = open_foreign(found.path, refusal)
        return _Opened(network=foreign.network, model=MODEL, tasks=TASKS, remarks=(foreign.says,))
    network = file.build(checkpoint, source=str(found.path))
    return _Opened(
        network=network, model=checkpoint.model, tasks=_tasks(checkpoint.model, network), remarks=tuple(checkpoint.remarks)
    )


def _task(tasks: tuple[str, ...], wanted: str | None, weights: _Weights) -> Task:
    """The task that was asked for, or what the weights, or else their network, are usually for."""
    if wanted is not None and wanted not in tasks:
        find_task(wanted)
        raise UsageError(
            f"the network in {weights.path} does {', '.join(tasks)}, not {wanted}; see `limpid --help` for its command"
        )
    return find_task(wanted or (*weights.tasks, *tasks)[0])


@subject_with_keywords(LoadOptions)
def separate(photo: Source, options: LoadOptions) -> Separation:
    """Separate one photo, loading a network for it; for many photos ``load`` one and call it.

    The keywords are those of ``load`` and of ``Separator``.

    >>> from skimage.data import chelsea
    >>> layers = separate(chelsea(), strength=0.8)
    >>> list(layers), tuple(layers.transmission.shape)
    (['transmission', 'reflection', 'residual'], (3, 300, 451))
    """
    return load_with(options.model, options, options.task)(photo, **vars(separation_options(options)))


def _fill_backbones(network: nn.Module, model: str, weights: str) -> None:
    """Fill what the checkpoint left out, from where the user says; random only when asked for, and said aloud."""
    backbones = [module for module in network.modules() if isinstance(module, Backbone)]
    if not backbones and weights != "pretrained":
        raise UsageError(f"{model} has no backbone to fill; leave out --backbone-weights {weights}")
    for backbone in backbones:
        backbone.fill(weights)
        if backbone.origin == "none":
            say(f"note: the backbone of {model} holds random numbers, as --backbone-weights none asks for; its layers mean nothing")


def _find(name: str | Path, task: str) -> _Weights:
    """The file that ``name`` stands for, hashed once."""
    shipped = manifest.rows()
    row = manifest.default(task) if str(name) == "default" else shipped.get(str(name))
    if row is not None:
        return _Weights(
            label=row.name,
            path=manifest.locate(row.name),
            sha256=row.sha256,
            tasks=row.default_for,
        )
    if str(name).startswith(hub.PREFIX):
        path = hub.locate(str(name))
        return _Weights(label=str(name), path=path, sha256=sha256(path))
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.exists():
        if not path.exists():
            raise WeightsError(f"{path}: there is no such weight file; name shipped weights ({', '.join(shipped)}) or a file")
        file_path = newest_generator(path)
        return _Weights(label=path.name if path.is_dir() else path.stem, path=file_path, sha256=sha256(file_path))
    if str(name) in catalogue.names("models"):
        raise WeightsError(f"no weights are shipped for the network {str(name)!r}; name its checkpoint with --model FILE")
    methods = (DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL, RETINEX)
    raise UnknownNameError("model", str(name), {"default", *methods, *shipped, *catalogue.names("models")})
