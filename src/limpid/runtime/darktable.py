"""Packages for darktable's neural restore (5.6 and later): one network of one size in a zip, with what darktable shows of it.

The layout is that of darktable-org/darktable-ai: config.json and model.onnx below one folder. darktable cuts photos into squares
that overlap by 64 pixels and crops them hard, so only networks that look no further give what they give here.
"""

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from limpid._version import __version__
from limpid.checkpoints.onnx_file import OnnxAbout
from limpid.errors import UsageError
from limpid.files import replacing
from limpid.runtime.export import Exported, export
from limpid.runtime.export_graph import ExportError
from limpid.runtime.options import ExportOptions

SUFFIX = ".dtmodel"

SIDE = 768
"""Side of darktable's own tiles for denoising, pixels."""

_OPSET = 20  # the highest that the oldest ONNX Runtime which darktable supports can read
_TASK = "denoise"  # the one task of darktable that takes a photo and gives one of the same size
_FIRST_RELEASE = "1.0"


def package(options: ExportOptions) -> Exported:
    """Write a network as a package; ``--static`` sets the side of its tiles (768).

    Raises UsageError for options that a package has no room for, ExportError for networks that darktable cannot run as they are,
    and what ``export`` raises.
    """
    out, side = options.output, (options.static or (SIDE, SIDE))
    if out.exists() and not options.overwrite:
        raise UsageError(f"{out} exists; choose another name or add --overwrite")
    if side[0] != side[1] or options.dynamic or options.head_only or options.head or options.batch != 1 or options.quantise:
        raise UsageError("a .dtmodel holds one square size and one photo; only --static NxN and --precision go with it")
    with TemporaryDirectory() as folder:
        plain = Path(folder, "model.onnx")
        made = export(replace(options, output=plain, static=side, opset=min(options.opset + 2, _OPSET)))
        about = made.about
        _refuse(about)
        model = _named(plain)
        _try(model, side[0])
        name = identity(options.model)
        with replacing(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}/config.json", json.dumps(config(name, about, side[0]), indent=2, ensure_ascii=False))
            archive.writestr(f"{name}/model.onnx", model)
    return replace(made, path=out, bytes=out.stat().st_size)


def identity(model: str) -> str:
    """Name of a package: ``denoise-`` and the model's name, lower case, words joined by hyphens."""
    words = re.findall(r"[a-z0-9]+", Path(model).stem.lower())
    return "-".join([_TASK, *words])


def config(name: str, about: OnnxAbout, side: int) -> dict[str, Any]:
    """What config.json says: what darktable needs, and the card that it shows."""
    title = name.removeprefix(f"{_TASK}-").replace("-", " ")
    return {
        "id": name,
        "name": title,
        "description": f"{', '.join(about.tasks)} by limpid ({about.model})",
        "task": _TASK,
        "backend": "onnx",
        "version": _FIRST_RELEASE,
        "tiling": True,
        "num_inputs": 1,
        "attributes": {"input_sizes": [side]},
        "model_card": {
            "long_description": f"{about.source}. Leave the strength at 100 %: below it darktable brings fine texture back.",
            "scope": f"{about.tasks[0]} of developed RGB photos, sRGB encoded",
            "author": "the limpid maintainers",
            "source": f"limpid {__version__}, weights sha256 {about.weights_sha256}",
            "paper": about.source,
            "license": about.licence,
            "training_data": about.trained_on or "not stated in the weights",
            "training_data_license": data_licence(about.trained_on),
            "notes": _notes(about.trained_on),
        },
    }


def data_licence(trained_on: str) -> str:
    """What may be said of the licence of training data, by their own description."""
    if not trained_on:
        return "not known"
    if "photograph" in trained_on:
        return "photographs of research data sets, which their owners do not let others pass on; the rest is synthetic"
    return "synthetic, made by limpid (Apache-2.0)"


def _notes(trained_on: str) -> str:
    if data_licence(trained_on).startswith("synthetic"):
        return "Weights, training code and training data are open."
    return "Open weights and training code; the training data are not open, so this is no candidate for darktable's own list."


def _refuse(about: OnnxAbout) -> None:
    if not set(about.tasks) & {"denoise", "deblur"}:
        raise ExportError(f"darktable runs restoration only; a network for {about.tasks[0]} answers with more than one layer")
    if about.noise:
        raise ExportError("this network is fed by a search for the kernel, which darktable does not do; export it as .onnx")


def _named(path: Path) -> bytes:
    """The graph with darktable's names, ``input`` and ``output``."""
    import onnx

    model = onnx.load(path)
    old = model.graph.output[0].name
    model.graph.output[0].name = "output"
    for node in model.graph.node:
        for place, name in enumerate(node.output):
            if name == old:
                node.output[place] = "output"
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = "output"
    del model.metadata_props[:]  # what limpid reads speaks of other names
    content: bytes = model.SerializeToString()
    return content


def _try(content: bytes, side: int) -> None:
    """What darktable's own checker looks at, and more: operators, names, one answer of the same shape, finite on any photo."""
    import onnx
    import onnxruntime

    model = onnx.load_model_from_string(content)
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    opened = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [[value.name for value in values] for values in (opened.get_inputs(), opened.get_outputs())]
    if max(versions) > _OPSET or names != [["input"], ["output"]]:
        raise ExportError(f"the graph has operators of version {max(versions)} and {names}; darktable reads up to {_OPSET}")
    noise = np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)
    for photo in (np.zeros_like(noise), np.ones_like(noise), noise):
        (answer,) = opened.run(None, {"input": photo})
        if answer.shape != photo.shape or not np.isfinite(answer).all():
            raise ExportError(f"the graph answers {answer.shape} or numbers without end to a photo {photo.shape}; nothing was kept")
