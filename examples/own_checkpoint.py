"""Weights of your own, or those of a paper: ``python examples/own_checkpoint.py FILE PHOTO``.

The file may be anything that ``torch.save`` or safetensors wrote: its network and settings are told from names and shapes of its
tensors, and nothing in it is executed.
"""

import sys
from pathlib import Path

import limpid
from limpid.checkpoints.inspect import convert


def run(checkpoint: Path, photo: Path) -> list[Path]:
    """Say what a checkpoint is, write it as a safe file that says so itself, and all layers of a photo; returns the files."""
    found = limpid.inspect(checkpoint)
    print(
        f"{checkpoint.name}: {found.model}, {found.parameters:,} parameters, for {', '.join(found.tasks)}; {dict(found.settings)}"
    )
    safe = checkpoint.with_suffix(".safetensors")
    convert(checkpoint, safe, overwrite=True)
    separator = limpid.load(safe)  # `limpid.load(checkpoint)` would do as well
    layers = separator(photo)
    written = [limpid.write(layer, photo.with_stem(f"{photo.stem}.{name}"), overwrite=True).path for name, layer in layers.items()]
    return [safe, *written]


if __name__ == "__main__":
    print(*run(Path(sys.argv[1]), Path(sys.argv[2])), sep="\n")
