"""What every degradation promises, run over the catalogue."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limpid import catalogue
from limpid.errors import SettingError, ShapeError
from limpid.physics.degradation import Degradation, degrade
from limpid.physics.degradations.gaussian_noise import GaussianNoise
from limpid.physics.degradations.motion_blur import MotionBlur
from limpid.physics.seeds import generator

NAMES = catalogue.names("degradations")
IDENTITY: dict[str, dict[str, object]] = {
    "gaussian_noise": {"sigma": (0.0, 0.0)},
    "gaussian_blur": {"half_sizes": (0, 0)},
    "motion_blur": {"sharp": 1.0},
    "downsampling": {"factor": (1.0, 1.0)},
    "exposure": {"stops": (0.0, 0.0)},
}


def photo(seed: int = 0, height: int = 80, width: int = 92) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def build(name: str, **settings: object) -> Degradation:
    degradation: Degradation = catalogue.find("degradations", name).build(**settings)
    return degradation


def test_every_degradation_of_the_plan_is_there() -> None:
    wanted = {"gaussian_noise", "poisson_gaussian", "gaussian_blur", "motion_blur", "jpeg", "downsampling", "exposure"}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_draw_gives_the_same_bytes_again(name: str) -> None:
    for seed in range(5):
        drawn = build(name).draw(generator(seed, name), (80, 92))
        assert drawn == build(name).draw(generator(seed, name), (80, 92))
        recorded = json.loads(json.dumps(drawn))
        assert recorded == drawn
        once, again = build(name).apply(photo(), drawn), build(name).apply(photo(), recorded)
        assert once.image.numpy().tobytes() == again.image.numpy().tobytes()
        assert torch.equal(once.target, again.target)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), height=st.integers(70, 90), width=st.integers(70, 90))
def test_photo_and_target_stay_as_they_are(name: str, seed: int, height: int, width: int) -> None:
    clean = photo(seed, height, width)
    before = clean.clone()
    degraded = build(name).apply(clean, build(name).draw(generator(seed), (height, width)))
    assert degraded.image.shape == degraded.target.shape
    assert degraded.image.dtype == torch.float32
    degraded.image.zero_()
    assert torch.equal(clean, before)
    down, across = (height - degraded.target.shape[1]) // 2, (width - degraded.target.shape[2]) // 2
    assert torch.equal(degraded.target, before[:, down : height - down, across : width - across])


@pytest.mark.parametrize("name", sorted(IDENTITY))
def test_nothing_is_changed_where_nothing_is_asked(name: str) -> None:
    clean = photo()
    degradation = build(name, **IDENTITY[name])
    degraded = degradation.apply(clean, degradation.draw(generator(1), (80, 92)))
    assert torch.equal(degraded.image, clean)
    assert degraded.image.data_ptr() != clean.data_ptr()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 70, 70), (70, 70), (2, 3, 70, 70)])
def test_other_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"\(3, H, W\)"):
        build(name).apply(torch.zeros(shape), build(name).draw(generator(0), (70, 70)))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gaussian_noise", {"sigma": (5.0, 1.0)}),
        ("poisson_gaussian", {"shot": (0.0, 0.1)}),
        ("poisson_gaussian", {"scatter": -1.0}),
        ("gaussian_blur", {"sigma": (0.0, 1.0)}),
        ("gaussian_blur", {"half_sizes": (-1, 2)}),
        ("motion_blur", {"classes": ("huge",)}),
        ("motion_blur", {"sharp": 2.0}),
        ("jpeg", {"quality": (0, 50)}),
        ("downsampling", {"factor": (0.5, 2.0)}),
        ("exposure", {"black": (0.0, 1.0)}),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(name: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=f"{name}.{next(iter(settings))}"):
        build(name, **settings)


def test_steps_follow_each_other_and_the_target_is_cropped_once() -> None:
    clean = photo()
    blur, noise = MotionBlur(classes=("mild",)), GaussianNoise(sigma=(25.0, 25.0))
    drawn = [(blur, blur.draw(generator(3), (80, 92))), (noise, noise.draw(generator(4), (80, 92)))]
    degraded = degrade(clean, drawn)
    blurred = blur.apply(clean, drawn[0][1])
    assert torch.equal(degraded.target, blurred.target)
    assert torch.equal(degraded.image, noise.apply(blurred.image, drawn[1][1]).image)
    assert json.loads(json.dumps(degraded.parameters)) == {"steps": [drawn[0][1], drawn[1][1]]}
    nothing = degrade(clean, [])
    assert torch.equal(nothing.image, clean)
    assert nothing.image.data_ptr() != clean.data_ptr()
