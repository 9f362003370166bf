"""The mean of two checkpoints of one network, tensor by tensor: ``python benchmarks/average_weights.py A B OUT [SHARE]``.

``SHARE`` of B, 0…1, by default a half; tensors that A lacks are those of B, whose settings are kept. Weights that were fine-tuned
keep what they started with when they are averaged with it: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022,
arXiv:2109.01903.
"""

import json
import sys
from pathlib import Path

import torch

from limpid.checkpoints import file


def average(first: Path, second: Path, out: Path, share: float) -> None:
    one, other = file.read(first), file.read(second)
    tensors = {
        name: torch.lerp(one.tensors[name].float(), tensor.float(), share).to(tensor.dtype) if name in one.tensors else tensor
        for name, tensor in other.tensors.items()
    }
    file.save(out, file.Checkpoint(model=other.model, settings=other.settings, tensors=tensors, notes=other.notes))
    print(json.dumps({"written": str(out), "share": share, "averaged": len(one.tensors), "taken": len(tensors) - len(one.tensors)}))


def main() -> None:
    if len(sys.argv) < 4:
        print(json.dumps({"skipped": "name two checkpoints and a file to write"}))
        return
    average(*(Path(word) for word in sys.argv[1:4]), share=float(sys.argv[4]) if len(sys.argv) > 4 else 0.5)


if __name__ == "__main__":
    main()
