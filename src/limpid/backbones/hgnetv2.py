"""HGNetV2-B0 as DEIMv2 trains it (Huang et al., 2025, arXiv:2509.20787), built by timm, whose keys are the published ones."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from limpid.backbones._backbone import Backbone, Home
from limpid.blocks._torchvision import mend
from limpid.catalogue import Entry
from limpid.errors import MissingExtraError


class Hgnetv2(Backbone):
    """Taps ``stage1`` … ``stage4`` (64, 256, 512, 1024 channels, strides 4, 8, 16, 32) of the raw photo, which is not normalised.

    timm's own weights expect ImageNet statistics and do not belong here; smallest side 8. Raises MissingExtraError without timm.
    """

    home = Home(
        files=("deimv2_hgnetv2_n_wholebody34.pth", "deimv2_hgnetv2_n_coco.pth"),
        page="https://github.com/Intellindust-AI-Lab/DEIMv2 (model zoo)",
    )

    def __init__(self) -> None:
        super().__init__()
        mend()
        try:
            from timm.models.hgnet import hgnetv2_b0
        except ImportError as error:
            raise MissingExtraError("timm", "backbones", "the backbone hgnetv2") from error
        self.model = hgnetv2_b0()
        del self.model.head
        self.channels = {"stage1": 64, "stage2": 256, "stage3": 512, "stage4": 1024}
        self.freeze()

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The four stages."""
        features = self.model.stem(photo)
        for name, stage in zip(self.channels, self.model.stages, strict=True):
            features = stage(features)
            yield name, features

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keys of timm, with or without the prefix of a detector; heads are left out."""
        bare = {name.removeprefix("backbone."): tensor for name, tensor in tensors.items()}
        return {f"model.{name}": tensor for name, tensor in bare.items() if name.startswith(("stem.", "stages."))}


ENTRY = Entry(build=Hgnetv2, source="Huang et al., 2025, arXiv:2509.20787 (Apache-2.0); network of PaddleClas")
