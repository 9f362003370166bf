"""Files of rstor's U-Net; its activation leaves no trace in them and is the published ReLU."""

from limpid.blocks.naf import Activation
from limpid.catalogue import Entry
from limpid.checkpoints.convert.nafnet import NafNetConverter


class UNetConverter(NafNetConverter):
    """The frame of NAFNet without gates."""

    model = "unet"
    activation: Activation = "relu"


ENTRY = Entry(build=UNetConverter, source="Neveu et al., github.com/balthazarneveu/blind-deblurring-from-synthetic-data, 2024")
