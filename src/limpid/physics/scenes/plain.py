"""Surfaces with little on them: walls, snow, sky, water, night."""

import cv2
import numpy as np

from limpid.physics.scenes.fields import Size, between, colour, noise, ramp


def wall(generator: np.random.Generator, size: Size) -> np.ndarray:
    """A painted wall under uneven light, from perfectly even to rough; (H, W, 3), encoded."""
    paint = colour(generator, value=(0.3, 1.0), saturation=(0.0, 0.4))
    if generator.random() < 0.2:  # as a calibration card, or paper blown out
        return np.broadcast_to(paint if generator.random() < 0.5 else np.ones(3), (*size, 3))
    light = 1 - generator.uniform(0, 0.5) * ramp(generator, size)
    light = light - generator.uniform(0, 0.15) * (noise(generator, size, slope=2.0) > generator.uniform(0.5, 2))  # a soft shadow
    soft = cv2.GaussianBlur(light.astype(np.float32), (0, 0), generator.uniform(1, 12))
    roughness = generator.uniform(0, 0.03) * noise(generator, size, slope=generator.uniform(0.3, 1.2))
    return np.asarray(paint * (soft + roughness)[..., None])


def snow(generator: np.random.Generator, size: Size) -> np.ndarray:
    """Drifts of snow below a grey or blue sky; (H, W, 3), encoded."""
    drifts = 0.93 + generator.uniform(0.01, 0.05) * noise(generator, size, slope=1.8, stretch=2.5)
    ground = np.stack([drifts * band for band in (0.98, 0.99, 1.0)], axis=-1)
    sky = between(colour(generator, value=(0.7, 0.95), saturation=(0.0, 0.4)), np.ones(3), ramp(generator, size, upright=True))
    horizon = generator.uniform(0, 0.8) + 0.05 * noise(generator, (1, size[1]), slope=1.5)
    below = np.linspace(0, 1, size[0])[:, None] > horizon
    return np.where(below[..., None], ground, sky)


def sky(generator: np.random.Generator, size: Size) -> np.ndarray:
    """A clear, cloudy or evening sky; (H, W, 3), encoded."""
    high, low = colour(generator, value=(0.4, 0.95)), colour(generator, value=(0.7, 1.0))
    if generator.random() < 0.7:
        high = np.array([generator.uniform(0.1, 0.5), generator.uniform(0.4, 0.65), generator.uniform(0.7, 0.95)])
    clear = between(high, low, ramp(generator, size, upright=True))
    clouds = 1 / (1 + np.exp(-generator.uniform(1, 6) * (noise(generator, size, slope=1.6) - generator.uniform(-0.5, 2.5))))
    shaded = 1 - generator.uniform(0, 0.4) * ramp(generator, size, upright=True)[..., None]
    return between(np.zeros(3), np.ones(3), clouds) * shaded + clear * (1 - clouds[..., None])


def water(generator: np.random.Generator, size: Size) -> np.ndarray:
    """Waves with sparkles; (H, W, 3), encoded."""
    depth = colour(generator, value=(0.3, 0.8), saturation=(0.2, 0.8))
    waves = noise(generator, size, slope=generator.uniform(0.8, 1.4), stretch=generator.uniform(2, 8))
    lit = between(depth, np.ones(3), np.clip(0.2 + generator.uniform(0.05, 0.2) * waves, 0, 1))
    return np.asarray(np.where((waves > generator.uniform(2.0, 3.5))[..., None], 1.0, lit))


def night(generator: np.random.Generator, size: Size) -> np.ndarray:
    """Lamps, their glow and lit windows in the dark; (H, W, 3), encoded."""
    scene = np.zeros((*size, 3), np.float32) + colour(generator, value=(0.0, 0.15), saturation=(0.0, 0.8))
    for _ in range(generator.integers(0, 4)):
        _house(scene, generator)
    for _ in range(generator.integers(1, 20)):
        centre = [int(generator.integers(side)) for side in size[::-1]]
        shade = colour(generator, value=(0.7, 1.0), saturation=(0.0, 0.7))
        lamp = np.zeros((*size, 3), np.float32)
        cv2.circle(lamp, centre, int(generator.integers(1, 8)), shade.tolist(), -1, cv2.LINE_AA)
        scene += lamp + generator.uniform(0, 3) * cv2.GaussianBlur(lamp, (0, 0), generator.uniform(4, 30))
    return np.asarray(scene)


def _house(scene: np.ndarray, generator: np.random.Generator) -> None:
    """A block with windows, some of them lit, painted into the scene."""
    height, width = scene.shape[:2]
    left, top = int(generator.integers(width)), int(generator.uniform(0.2, 0.8) * height)
    right, step = left + int(generator.uniform(0.1, 0.4) * width), int(generator.integers(10, 24))
    scene[top:, left:right] = colour(generator, value=(0.02, 0.12))
    for y in range(top + step // 2, height - step, step):
        for x in range(left + step // 2, min(right, width) - step, step):
            if generator.random() < 0.4:
                scene[y : y + step // 2, x : x + step // 2] = colour(generator, value=(0.5, 1.0), saturation=(0.1, 0.6))
