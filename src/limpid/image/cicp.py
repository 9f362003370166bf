"""Colour tags that are no ICC profile, made one: code points of video (ITU-T H.273), and gamma and primaries of PNG.

Every format but BMP and PPM holds an ICC profile, few hold these tags; so a profile keeps what they say wherever a result goes
(ICC.1:2022, sections 7 to 10). Curves of HDR are sampled, and the code points go along in a tag of their own.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
"""Chromaticity x, y."""

_D65, _C, _DCI, _E = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351), (1 / 3, 1 / 3)


@dataclass(frozen=True)
class Primaries:
    """Chromaticities of the three colours that pixels mix, and of their white."""

    red: Point
    green: Point
    blue: Point
    white: Point = _D65


BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_PRIMARIES: Mapping[int, Primaries] = {
    1: BT709,
    2: BT709,  # unspecified
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}

HDR: Mapping[int, str] = {16: "PQ", 18: "HLG"}
"""Code points of transfer curves that reach beyond the white of paper."""

Curve = float | Sequence[float] | Callable[[np.ndarray], np.ndarray]
"""From a stored value 0…1 to light 0…1: an exponent; g, a, b, c, d of (a·x + b)^g from d on and c·x below; or a function."""

SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709_CURVE = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)


def _pq(stored: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, 1 = 10,000 cd/m²."""
    power = stored ** (1 / 78.84375)
    light: np.ndarray = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    return light


def _hlg(stored: np.ndarray) -> np.ndarray:
    """ARIB STD-B67, scene light."""
    light: np.ndarray = np.where(stored <= 0.5, stored**2 / 3, (np.exp((stored - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return light


_CURVES: Mapping[int, Curve] = {
    **dict.fromkeys((1, 6, 11, 14, 15), _BT709_CURVE),
    **dict.fromkeys((2, 13), SRGB),
    4: 2.2,
    5: 2.8,
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),
    8: 1.0,
    16: _pq,
    17: 2.6,
    18: _hlg,
}


def profile_of(primaries: int, transfer: int, *, grey: bool, notes: list[str]) -> bytes | None:
    """The ICC profile of two code points, None for sRGB, which needs none; ``notes`` gains what is lost or must be known."""
    if transfer in HDR:
        notes.append(f"HDR photo ({HDR[transfer]}) handled like an ordinary one; its brightness scale travels on in an ICC profile")
    colours, curve = _PRIMARIES.get(primaries), _CURVES.get(transfer)
    if colours is None or curve is None:
        notes.append(f"colour tag {primaries}/{transfer} (H.273) is not known here; dropped")
        return None
    if colours == BT709 and curve == SRGB:
        return None
    tagged = struct.pack(">4s4x4B", b"cicp", primaries, transfer, 0, 1) if transfer in HDR else None
    return profile(colours, curve, grey=grey, cicp=tagged)


def profile(colours: Primaries, curve: Curve, *, grey: bool, cicp: bytes | None = None) -> bytes | None:
    """An ICC profile (version 4) of a display with these colours and this curve; None where they span no colour space.

    ``grey``: for pixels of one channel. ``cicp``: content of the tag of that name, for colours only.
    """
    adapted = _adapted(colours)
    if adapted is None:
        return None
    matrix, adaptation = adapted
    tags = {b"desc": _text("limpid: colour tags of the photo"), b"cprt": _text("No copyright"), b"wtpt": _xyz(_D50)}
    tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(*adaptation.ravel())
    if grey:
        tags[b"kTRC"] = _curve(curve)
    else:
        for index, name in enumerate("rgb"):
            tags[f"{name}XYZ".encode()] = _xyz(matrix[:, index])
            tags[f"{name}TRC".encode()] = _curve(curve)
        tags |= {b"cicp": cicp} if cicp else {}
    return _assembled(tags, b"GRAY" if grey else b"RGB ")


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _adapted(colours: Primaries) -> tuple[np.ndarray, np.ndarray] | None:
    """XYZ of the three colours under D50 (columns), and the adaptation that led there (Bradford)."""
    corners = np.array([(x, y, 1 - x - y) for x, y in (colours.red, colours.green, colours.blue)]).T
    x, y = colours.white
    if y <= 0 or abs(np.linalg.det(corners)) < 1e-4:
        return None
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    cones = _BRADFORD @ white
    if np.abs(cones).min() < 1e-3:
        return None
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD
    matrix = adaptation @ (corners * np.linalg.solve(corners, white))
    return None if np.abs(matrix).max() > 100 or np.abs(adaptation).max() > 100 else (matrix, adaptation)


def _curve(curve: Curve) -> bytes:
    if callable(curve):
        points = np.asarray(curve(np.linspace(0, 1, 1024))).clip(0, 1) * 65535
        return struct.pack(">4s4xI", b"curv", len(points)) + points.round().astype(">u2").tobytes()
    numbers = [curve] if isinstance(curve, float) else list(curve)
    return struct.pack(">4s4xHxx", b"para", 0 if len(numbers) == 1 else 3) + _fixed(*numbers)


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(content), 28) + content


def _assembled(tags: Mapping[bytes, bytes], space: bytes) -> bytes:
    """Header, table and contents, equal ones once, each on a multiple of four bytes."""
    table, body, places = b"", b"", dict[bytes, int]()
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, places[content], len(content))
    size = start + len(body)
    date = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)  # the same bytes every day
    head = struct.pack(">I4xI4s4s4s12s4s", size, 0x04400000, b"mntr", space, b"XYZ ", date, b"acsp").ljust(68, b"\0")
    return (head + _fixed(*_D50)).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
