"""ICC profiles: whether one can be trusted, and the way to RGB for pixels that are something else."""

from io import BytesIO

from PIL import Image, ImageCms

_RGB_LIKE, _GREY = b"RGB ", b"GRAY"


def fits(icc: bytes, *, grey: bool) -> bool:
    """Whether a profile is sound and describes pixels like these; a grey photo may carry an RGB profile, not the reverse."""
    if icc[36:40] != b"acsp" or int.from_bytes(icc[:4], "big") > len(icc):
        return False
    if icc[16:20] not in ((_GREY, _RGB_LIKE) if grey else (_RGB_LIKE,)):
        return False
    try:
        ImageCms.ImageCmsProfile(BytesIO(icc))
    except (OSError, ImageCms.PyCMSError):
        return False
    return True


def to_rgb(photo: Image.Image, notes: list[str]) -> Image.Image:
    """A photo in CMYK, Lab, YCbCr or HSV as RGB in sRGB; ``notes`` gains how it was done.

    CMYK goes through its own profile where that is sound, else by Pillow's formula R = (255 − C)(255 − K) / 255.
    """
    if photo.mode == "LAB":
        notes.append("Lab converted to sRGB")
        return _through(photo, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    icc = photo.info.get("icc_profile")
    if photo.mode == "CMYK" and icc and icc[16:20] == b"CMYK":
        try:
            converted = _through(photo, ImageCms.ImageCmsProfile(BytesIO(icc)))
        except (OSError, ImageCms.PyCMSError):
            notes.append("broken ICC profile ignored")
        else:
            notes.append("CMYK converted to sRGB through its profile")
            return converted
    how = " by the plain formula, as it has no usable profile" if photo.mode == "CMYK" else ""
    notes.append(f"{photo.mode} converted to RGB{how}")
    return photo.convert("RGB")


def _through(photo: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(photo, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # None only when it works in place
    return converted
