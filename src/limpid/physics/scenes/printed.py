"""What people print and draw: paper with text, screens, drawings."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from limpid.physics.scenes.fields import Size, between, colour, ramp

_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzetaoinsrhldcumETAOINSRHL0123456789.,-"))


def document(generator: np.random.Generator, size: Size) -> np.ndarray:
    """A page of text with headings, rules and boxes, lit unevenly, seen at a slant; (H, W, 3), encoded."""
    paper, ink = colour(generator, value=(0.85, 1.0), saturation=(0.0, 0.08)), colour(generator, value=(0.0, 0.3))
    page = Image.new("L", size[::-1], 0)
    draw = ImageDraw.Draw(page)
    left, y = int(generator.uniform(0.02, 0.12) * size[1]), int(generator.uniform(0.02, 0.12) * size[0])
    height = int(generator.integers(8, 28))
    while y < size[0] - height:
        large = generator.random() < 0.1
        tall = height * 2 if large else height
        if generator.random() < 0.07:
            draw.rectangle((left, y, int(generator.uniform(0.3, 0.95) * size[1]), y + 3 * height), outline=255, width=1)
        draw.text((left, y), _words(generator, size[1] // max(tall // 2, 1)), fill=255, font=ImageFont.load_default(tall))
        y += int(tall * generator.uniform(1.1, 2.2))
    text = np.asarray(page, np.float32) / 255
    lit = 1 - generator.uniform(0, 0.35) * ramp(generator, size)
    return _slanted(between(paper, ink, text) * lit[..., None], generator)


def screen(generator: np.random.Generator, size: Size) -> np.ndarray:
    """A screenshot: panels, buttons and words, dark or light; (H, W, 3), encoded."""
    dark = generator.random() < 0.5
    ground = colour(generator, value=(0.05, 0.25) if dark else (0.85, 1.0), saturation=(0.0, 0.2))
    picture = Image.new("RGB", size[::-1], _eight_bits(ground))
    draw = ImageDraw.Draw(picture)
    for _ in range(generator.integers(3, 25)):
        left, top = generator.uniform(0, 0.9, 2) * np.array(size[::-1])
        width, height = generator.uniform(0.03, 0.5) * size[1], generator.uniform(0.03, 0.3) * size[0]
        radius = float(generator.choice([0, 4, 12]))
        fill = _eight_bits(colour(generator, value=(0.1, 1.0), saturation=(0.0, 0.9)))
        draw.rounded_rectangle((left, top, left + width, top + height), radius, fill=fill)
        tall = int(np.clip(height * 0.4, 7, 30))
        shade = _eight_bits(colour(generator, value=(0.8, 1.0) if dark else (0.0, 0.4)))
        draw.text((left + 6, top + height * 0.2), _words(generator, 12), fill=shade, font=ImageFont.load_default(tall))
    return np.asarray(picture, np.float32) / 255


def drawing(generator: np.random.Generator, size: Size) -> np.ndarray:
    """Flat shapes with outlines on paper, as in comics and charts; (H, W, 3), encoded."""
    paper = colour(generator, value=(0.85, 1.0), saturation=(0.0, 0.1))
    canvas = np.tile(paper, (*size, 1))
    flat = generator.random() < 0.7
    for _ in range(generator.integers(4, 40)):
        corners = _shape(generator, size)
        if flat:
            cv2.fillPoly(canvas, [corners], colour(generator, value=(0.2, 1.0), saturation=(0.1, 1.0)).tolist(), cv2.LINE_AA)
        thickness, shade = int(generator.integers(1, 5)), colour(generator, value=(0.0, 0.2))
        cv2.polylines(canvas, [corners], bool(flat), shade.tolist(), thickness, cv2.LINE_AA)
    return canvas


def _shape(generator: np.random.Generator, size: Size) -> np.ndarray:
    """Corners of a smooth or jagged closed curve; (N, 2), int32."""
    count = int(generator.choice([3, 4, 6, 60]))
    turns = np.sort(generator.uniform(0, 2 * np.pi, count)) if count < 60 else np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wave = 1 + generator.uniform(0, 0.5) * np.sin(generator.integers(1, 6) * turns + generator.uniform(0, 6))
    radius = generator.uniform(0.03, 0.3) * min(size) * wave
    centre = generator.uniform(0, 1, 2) * np.array(size[::-1])
    return np.stack([centre[0] + radius * np.cos(turns), centre[1] + radius * np.sin(turns)], axis=1).astype(np.int32)


def _words(generator: np.random.Generator, count: int) -> str:
    letters = generator.choice(_LETTERS, count)
    letters[generator.random(count) < 0.17] = " "
    return "".join(letters)


def _slanted(page: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The page as a camera held at a slant sees it, its rim repeated."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + generator.normal(0, 0.03, (4, 2)).astype(np.float32) * np.array([width, height], np.float32)
    view = cv2.getPerspectiveTransform(corners, moved)
    return cv2.warpPerspective(
        page.astype(np.float32), view, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _eight_bits(shade: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.round(255 * shade))
    return red, green, blue
