"""``--on SET[=DIR]``: which images, how many the published set has, and whether they are the same ones as elsewhere."""

import hashlib
import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from limpid import catalogue
from limpid.data import pairing
from limpid.data.layout import FolderSet
from limpid.data.manifest import NAME, Manifest
from limpid.errors import DataError, PhotoError, UnknownNameError, UsageError
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.items import RESTORED, Item
from limpid.evaluation.results import SetInfo
from limpid.files import sha256
from limpid.image.read import size
from limpid.layers.task import Task, find_task
from limpid.recipe.text import Document
from limpid.recipe.variables import resolve, settings_file

ALIASES = {
    "table2": "ceilnet_table2",
    "objects": "sir2_objects",
    "postcard": "sir2_postcard",
    "wild": "sir2_wild",
}
"""Short name of a set → its name in the catalogue."""

_TEST = {"nature": "test"}  # variant that is tested on, where it is not the default


@dataclass(frozen=True, kw_only=True)
class EvaluatedSet:
    """A set, the task that it measures, its images in order, and notes on what a reader must know.

    ``degradations``: what its photos were put through; none for pairs.
    """

    info: SetInfo
    task: Task
    items: tuple[Item, ...]
    degradations: tuple[DegradationCondition, ...] = ()
    notes: tuple[str, ...] = ()


def open_set(wanted: str, degradations: Sequence[DegradationCondition], count: int | None = None) -> EvaluatedSet:
    """The set that ``SET``, ``SET=DIR`` or ``DIR`` names, its first ``count`` images.

    A pair that is broken stays in as an item with a fault, so that it costs one line and not the run. Raises UsageError or
    UnknownNameError when there is no such set or folder and DataError when it is empty.
    """
    label, folder = _place(wanted)
    manifest = Manifest.read(folder) if (folder / NAME).is_file() else None
    label = label or (manifest.set if manifest else folder.resolve().name)
    name = ALIASES.get(label, label)
    name = name if name in catalogue.names("sets") else ""
    said = manifest.variant if manifest else ""
    task = _task(name, folder, degradations)
    find = partial(_photos, folder) if degradations else partial(_found, folder, task)
    seen = _seen_variant(name, find(label))
    variant = seen or said
    label += f"/{variant}" if variant else ""
    found = find(label)
    if not found:
        raise DataError(f"{folder} holds {'no photos' if degradations else 'no pairs'}; {_remedy(bool(degradations), task)}")
    scenes = catalogue.find("sets", name).scenes if name else ""
    used = [replace(_hashed(item), scene=_scene(scenes, item.name)) for item in found[:count]]
    notes = _notes(name, variant, len(found), len(used), [item for item in used if item.fault])
    crops = {degradation.crop for degradation in degradations}
    notes += [f"centre crops of {crop[0]}×{crop[1]} pixels" for crop in crops if crop is not None and len(crops) == 1]
    if degradations and not (folder / pairing.FOLDERS["transmission"]).is_dir() and (deeper := pairing.photos_deeper(folder)):
        notes.append(f"{deeper} photos in folders below it were not used")
    if said and seen and said != seen:
        notes.append(f"its manifest calls it {said}, but its photos have the sizes of {seen}; get it and prepare it again")
    info = SetInfo(
        label=label,
        count=len(used),
        expected=expected(name) if name else "",
        fingerprint=fingerprint(used),
        note="; ".join(notes),
        name=name,
        whole=len(found),
        variant=variant,
        synthetic=catalogue.find("sets", name).synthetic if name else bool(manifest and manifest.origin),
    )
    return EvaluatedSet(
        info=info,
        task=task,
        items=tuple(degraded_items(used, degradations) if degradations else used),
        degradations=tuple(degradations),
        notes=tuple(f"{label}: {note}" for note in notes),
    )


def expected(name: str) -> str:
    """How many images a catalogued set has and which variants circulate, e.g. ``20; variants native, short512, 420``."""
    variants = inspect.signature(catalogue.find("sets", name).build, eval_str=True).parameters.get("variant")
    choices = getattr(variants.annotation, "__args__", ()) if variants else ()
    counts = " or ".join(map(str, _counts(name)))
    return "; ".join(part for part in (counts, f"variants {', '.join(choices)}" if choices else "") if part)


def _counts(name: str, variant: str = "") -> tuple[int, ...]:
    """Numbers of images of a variant (empty: the tested one) that circulate; none for sets that are drawn or need settings."""
    build = catalogue.find("sets", name).build
    signature = inspect.signature(build, eval_str=True)
    needs = any(parameter.default is parameter.empty for parameter in signature.parameters.values())
    if signature.return_annotation is not FolderSet or needs:
        return ()
    known = getattr(getattr(signature.parameters.get("variant"), "annotation", None), "__args__", ())
    wanted = variant if variant in known else _TEST.get(name)
    made: FolderSet = build(**({"variant": wanted} if wanted else {}))
    return made.counts


def _place(wanted: str) -> tuple[str, Path]:
    """Label (empty: that of the folder) and folder."""
    label, equals, place = wanted.partition("=")
    folder = Path(place if equals else wanted).expanduser()
    if folder.is_dir() and (label or not equals):
        return (label if equals else ""), folder
    if equals:
        raise UsageError(f"--on {wanted}: {folder} is no folder; name one in the tidy layout, see `limpid prepare`")
    known = {*catalogue.names("sets"), *ALIASES}
    if wanted not in known:
        if folder.suffix or len(folder.parts) > 1:
            raise UsageError(f"--on {wanted}: there is no such folder; check the spelling")
        raise UnknownNameError("set or folder", wanted, known)
    return wanted, noted(wanted)


def noted(name: str) -> Path:
    """Where this machine keeps a set: the environment variable or the line of ``data.yaml`` of its name in capitals.

    Raises UsageError when neither is there or the folder is not.
    """
    variable = name.upper()
    try:
        folder = Path(str(resolve(Document(data={"root": f"${variable}"}), {}).data["root"])).expanduser()
    except UsageError as fault:
        raise UsageError(
            f"--on {name}: no folder is noted for this set; write --on {name}=DIR, set the environment variable {variable},"
            f" or add the line `{variable}: DIR` to {settings_file()}"
        ) from fault
    if not folder.is_dir():
        raise UsageError(
            f"--on {name}: {folder}, noted as {variable}, is no folder; mend {settings_file()} or write --on {name}=DIR"
        )
    return folder


def _task(name: str, folder: Path, degradations: Sequence[DegradationCondition]) -> Task:
    """What a set measures: what the degradations ask to undo, what the catalogue says of it, or what its folders hold."""
    if degradations:
        return degraded_task(degradations)
    tasks = catalogue.find("sets", name).tasks if name else ()
    return find_task(tasks[0]) if tasks else pairing.task_of(folder)


def degraded_task(degradations: Sequence[DegradationCondition]) -> Task:
    """What undoes these: deblurring where one blurs, else denoising."""
    return find_task("deblur" if any((condition.blur or condition.gauss) is not None for condition in degradations) else "denoise")


def _seen_variant(name: str, items: Sequence[Item]) -> str:
    """The one variant of a set that asks for sizes and finds them, all of them; empty where the photos do not tell."""
    parameter = inspect.signature(catalogue.find("sets", name).build, eval_str=True).parameters.get("variant") if name else None
    by_name = {item.name: item.files[0] for item in items if item.files and not item.fault}
    fitting = []
    for variant in getattr(parameter.annotation, "__args__", ()) if parameter else ():
        made = catalogue.find("sets", name).build(variant=variant)
        told = {stem: by_name[stem] for stem in made.sizes if stem in by_name} or ({} if "" not in made.sizes else by_name)
        try:
            if told and all(made.fits(stem, size(path)) for stem, path in told.items()):
                fitting.append(variant)
        except PhotoError:
            continue  # that photo is told of when it is measured
    return fitting[0] if len(fitting) == 1 else ""


def _found(root: Path, task: Task, label: str) -> list[Item]:
    """Pairs, or photos with judgements."""
    return _pairs(root, label, task) or _judged(root, label)


def _pairs(root: Path, label: str, task: Task) -> list[Item]:
    """Pairs sorted by stem, the broken ones with their fault."""
    pairs, problems = pairing.inspect(root, task)
    broken = {pairing.stem_of(Path(*Path(problem.file).parts[1:])): problem for problem in problems}
    items = {
        files.name: Item(set=label, name=files.name, input=files.input, truths=files.layers)
        for files in pairs
        if files.name not in broken
    }
    for stem, problem in broken.items():
        path = root / problem.file
        fault = f"{root}/{problem}; repair it or remove {path.name}, nothing is resized or guessed here"
        items[stem] = Item(set=label, name=stem, input=path, truths={}, fault=fault)
    return [items[stem] for stem in sorted(items)]


def _judged(root: Path, label: str) -> list[Item]:
    """Photos with what people said of them in ``judgements/STEM.json``; none where there is no such folder."""
    judgements = root / pairing.FOLDERS["judgements"]
    if not judgements.is_dir():
        return []
    found, _ = pairing.by_stem(root)
    said = {pairing.stem_of(Path(path.name)): path for path in judgements.glob("*.json") if path.is_file()}
    return [
        Item(set=label, name=stem, input=path, truths={}, judgements=said[stem]) for stem, path in found.items() if stem in said
    ]


def _photos(root: Path, label: str) -> list[Item]:
    """Clean photos: those of the folder, or the truths of a paired one."""
    inside = root / pairing.FOLDERS["transmission"]
    paired = inside.is_dir()
    found, wrong = pairing.by_stem(inside if paired else root, root=root, nested=paired)
    items = [Item(set=label, name=stem, input=None, truths={RESTORED: path}) for stem, path in found.items()]
    for problem in wrong:
        path = root / problem.file
        fault = f"{root}/{problem}; {'convert or remove it' if problem.rule else 'rename or remove one of them'}"
        items.append(Item(set=label, name=path.name, input=None, truths={RESTORED: path}, fault=fault))
    return items


def _hashed(item: Item) -> Item:
    """The item with the hashes of its files; an unreadable one keeps its fault for later."""
    if item.fault:
        return item
    try:
        key = " ".join(map(sha256, item.files))
    except OSError as fault:
        return replace(item, fault=f"{fault.filename} cannot be read ({fault.strerror}); check your permission")
    return replace(item, key=key)


def _scene(pattern: str, stem: str) -> str:
    """The scene of a stem by the pattern of its set; empty where it names none."""
    found = re.match(pattern, stem) if pattern else None
    return found["scene"] if found else ""


def degraded_items(items: Sequence[Item], degradations: Sequence[DegradationCondition]) -> list[Item]:
    """Every clean photo under every degradation, the degradations in their order."""
    return [_degraded(item, degradation) for degradation in degradations for item in items]


def _degraded(item: Item, degradation: DegradationCondition) -> Item:
    """The photo under one draw of a degradation; what several draws make of it is one scene."""
    name = degradation.named(item.name)
    scene = item.scene or ("" if degradation.draw is None else item.name)
    return replace(item, name=name, scene=scene, key=f"{item.key} {name} {degradation.says}", degradation=degradation)


def fingerprint(items: Iterable[Item]) -> str:
    """SHA-256 over the names and keys of images."""
    return hashlib.sha256("\n".join(f"{item.name} {item.key}" for item in items).encode()).hexdigest()


def _notes(name: str, variant: str, whole: int, used: int, broken: Sequence[Item]) -> list[str]:
    notes = [f"only the first {used} of {whole} images were used (-n)"] if used < whole else []
    counts = _counts(name, variant) if name else ()
    if counts and whole not in counts:
        notes.append(f"it holds {whole} images; published results are of {' or '.join(map(str, counts))}")
    return notes + ([f"{len(broken)} of its images cannot be measured"] if broken else [])


def _remedy(degraded: bool, task: Task) -> str:
    if degraded:
        return "--degrade needs a folder of clean photos"
    folder = pairing.FOLDERS[task.primary]
    return f"expected photos in blended/ and, with the same stems, in {folder}/; see `limpid prepare`"
