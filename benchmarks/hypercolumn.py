"""Peak memory and time of a 512×384 inference with a hypercolumn, against its literal construction, same weights; prints JSON.

The baseline enlarges every map of the backbone to the photo, stacks them (1,475 channels), convolves the stack, and keeps norms
apart from convolutions, as the published codes do. Each measurement has a process and one thread of its own; memory is the peak
of the resident set during the forward above what it was before, time that of the processor (user and system, so that other
processes do not count), the best of the forwards after the first. Promises: ERRNet at most 1/3 of the memory and 1/1.3 of the
time, hypercolumn vgg19 at most 1/4 and 1/1.5.
"""

import json
import subprocess
import sys
import threading
import time

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid import create_model
from limpid.models.errnet import Errnet
from limpid.models.hypercolumn import DILATIONS, Hypercolumn, Stage

CASES = {"errnet": (("errnet", "hypercolumn"), 3.0, 1.3), "hypercolumn vgg19": (("hypercolumn", "vgg19"), 4.0, 1.5)}
HEIGHT, WIDTH, REPEATS = 384, 512, 2


def stack(network: Errnet | Hypercolumn, photo: Tensor) -> list[Tensor]:
    assert network.backbone is not None
    maps = network.backbone(photo).values()
    return [F.interpolate(features, size=photo.shape[-2:], mode="bilinear", align_corners=False) for features in maps]


def literal_errnet(network: Errnet, photo: Tensor) -> Tensor:
    features = F.relu(network.conv1(torch.cat([photo, *stack(network, photo)], dim=1)))
    features = F.relu(network.conv3(F.relu(network.conv2(features))))
    for block in network.res_module:
        change = block.conv2(F.relu(block.conv1(features)))
        features = features + 0.1 * (change * block.se_layer(change))
    features = F.relu(network.deconv2(F.relu(network.deconv1(features))))
    pyramid = network.pyramid_module
    assert pyramid is not None
    levels = [F.interpolate(stage(features), size=photo.shape[-2:], mode="nearest") for stage in pyramid.stages]
    features = F.leaky_relu(pyramid.bottleneck(torch.cat([*levels, features], dim=1)), 0.2)
    return F.relu(network.deconv3(features))


def literal_stage(stage: Stage, features: Tensor) -> Tensor:
    return F.leaky_relu(stage.norm(stage.conv(features)), 0.2)


def literal_hypercolumn(network: Hypercolumn, photo: Tensor) -> Tensor:
    features = literal_stage(network.conv0, torch.cat([*stack(network, photo), photo], dim=1))
    for number in DILATIONS:
        features = literal_stage(getattr(network, f"conv{number}"), features)
    return network.conv_last(features)[:, :3]


def forward(network: nn.Module, photo: Tensor, literal: bool) -> Tensor:
    if not literal:
        return network(photo.contiguous(memory_format=torch.channels_last)).transmission
    return literal_errnet(network, photo) if isinstance(network, Errnet) else literal_hypercolumn(network, photo)


class Peak:
    """Peak of the resident set while it is open, bytes above the start."""

    def __enter__(self) -> "Peak":
        self._process, self._open = psutil.Process(), True
        self._start = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while self._open:
            self.peak = max(self.peak, self._process.memory_info().rss)
            time.sleep(0.001)

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()
        self.bytes = self.peak - self._start


def measure(case: str, literal: bool) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    (name, size), _, _ = CASES[case]
    network, photo = create_model(name, size).eval(), torch.rand(1, 3, HEIGHT, WIDTH)
    if not literal:  # as the Separator runs it
        network = network.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        with Peak() as peak:
            answer = forward(network, photo, literal)
        seconds = []
        for _ in range(REPEATS):
            started = time.process_time()
            forward(network, photo, literal)
            seconds.append(time.process_time() - started)
    sample = answer[0, :, ::16, ::16].flatten().tolist()
    print(json.dumps({"bytes": peak.bytes, "seconds": min(seconds), "sample": sample}))


def measured(case: str, form: str) -> dict[str, object]:
    command = [sys.executable, __file__, case, form]
    found: dict[str, object] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    for case, (_, memory, speed) in CASES.items():
        ours, baseline = measured(case, "ours"), measured(case, "literal")
        difference = float((torch.tensor(ours["sample"]) - torch.tensor(baseline["sample"])).abs().max())
        spread = float(torch.tensor(baseline["sample"]).std())
        row = {
            "case": case,
            "mb": [round(found["bytes"] / 1e6) for found in (ours, baseline)],
            "seconds": [round(found["seconds"], 2) for found in (ours, baseline)],
            "memory_ratio": round(baseline["bytes"] / ours["bytes"], 2),
            "speed_ratio": round(baseline["seconds"] / ours["seconds"], 2),
            "promised": [memory, speed],
            "difference_in_deviations": difference / spread,
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], sys.argv[2] == "literal")
    else:
        main()
