"""Light: transfer functions, Fresnel's equations, and where a pane's ghost falls."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage import color

from limpid.errors import SettingError
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.light import fresnel, fresnel_polarised, ghost_shift, pane_reflectances
from limpid.physics.pane import illumination, shift

ANGLES = st.floats(0, math.pi / 2)
INDICES = st.floats(1.05, 2.5)


def test_transfer_functions_invert_each_other_and_agree_with_scikit_image() -> None:
    values = torch.linspace(0, 1, 1021, dtype=torch.float64)
    torch.testing.assert_close(to_encoded(to_linear(values)), values, atol=1e-6, rtol=0)
    y = color.rgb2xyz(np.repeat(values.numpy()[None, :, None], 3, axis=2))[0, :, 1]
    np.testing.assert_allclose(to_linear(values).numpy(), y, atol=1e-6)


def test_four_percent_a_surface_and_eight_a_pane_at_normal_incidence() -> None:
    assert fresnel(0) == pytest.approx(0.04, abs=1e-12)
    assert fresnel_polarised(0) == pytest.approx((0.04, 0.04))
    front, back = pane_reflectances(0)
    assert front + back == pytest.approx(0.04 + 0.96**2 * 0.04)
    assert front + back == pytest.approx(0.08, abs=0.005)


@given(index=INDICES)
def test_light_polarised_along_the_plane_vanishes_at_brewsters_angle(index: float) -> None:
    brewster = math.atan(index)
    across, along = fresnel_polarised(brewster, index)
    assert along == pytest.approx(0, abs=1e-12)
    assert across == pytest.approx(((index**2 - 1) / (index**2 + 1)) ** 2)  # closed form: the rays are perpendicular there
    assert fresnel_polarised(brewster - 0.05, index)[1] > along
    assert fresnel_polarised(min(brewster + 0.05, math.pi / 2), index)[1] > along


def test_brewsters_angle_of_glass() -> None:
    angles = np.radians(np.linspace(0, 90, 9001))
    darkest = min(angles, key=lambda angle: fresnel_polarised(angle)[1])
    assert math.degrees(darkest) == pytest.approx(56.31, abs=0.01)


@given(angle=ANGLES, index=INDICES)
def test_reflectance_is_a_share_and_grows_to_one_at_grazing_incidence(angle: float, index: float) -> None:
    assert 0 <= fresnel(angle, index) <= 1
    assert fresnel(angle, index) >= fresnel(0, index) - 1e-9
    assert fresnel(math.pi / 2, index) == pytest.approx(1)
    front, back = pane_reflectances(angle, index)
    assert front + back <= 1 + 1e-12
    assert back == pytest.approx(front * (1 - front) ** 2)


@given(angle=ANGLES, index=INDICES)
def test_reflectances_agree_with_the_sine_and_tangent_laws(angle: float, index: float) -> None:
    if not 1e-3 < angle < math.pi / 2 - 1e-3:
        return
    inside = math.asin(math.sin(angle) / index)
    across, along = fresnel_polarised(angle, index)
    assert across == pytest.approx((math.sin(angle - inside) / math.sin(angle + inside)) ** 2, rel=1e-6, abs=1e-9)
    assert along == pytest.approx((math.tan(angle - inside) / math.tan(angle + inside)) ** 2, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("angle", [-0.1, 1.6])
def test_impossible_angles_are_refused(angle: float) -> None:
    with pytest.raises(SettingError, match="angle of incidence"):
        fresnel(angle)


@given(angle=st.floats(0.01, 1.5), thickness=st.floats(0.1, 20))
def test_ghost_shift_by_tracing_the_ray(angle: float, thickness: float) -> None:
    """The ray that returns from the back leaves the front 2·t·tan(θt) further along; seen under θ, that is cos θ of it."""
    direction = np.array([math.sin(angle) / 1.5, 0.0])
    direction[1] = math.sqrt(1 - direction[0] ** 2)
    back = direction / direction[1] * thickness
    leaves = 2 * back[0]
    assert ghost_shift(thickness, angle) == pytest.approx(leaves * math.cos(angle))
    assert ghost_shift(thickness, 0.0) == 0


@pytest.mark.parametrize(("distance", "direction", "moved"), [(3, 0, (0, 3)), (2, 90, (2, 0)), (4, 180, (0, -4)), (0, 45, (0, 0))])
def test_shift_by_whole_pixels_moves_the_picture(distance: float, direction: float, moved: tuple[int, int]) -> None:
    image = torch.rand(3, 30, 41, generator=torch.Generator().manual_seed(0))
    expected = torch.roll(image, moved, (1, 2))[:, 5:-5, 5:-5]
    torch.testing.assert_close(shift(image, distance, direction)[:, 5:-5, 5:-5], expected, atol=1e-5, rtol=0)


def test_illumination_is_a_field_between_dark_and_lit() -> None:
    like = torch.zeros(3, 33, 47)
    field = illumination([[-8.0, -8.0, 8.0, 8.0]] * 4, like)
    assert field.shape == (1, 33, 47)
    assert field[0, :, 0].max() < 0.01
    assert field[0, :, -1].min() > 0.99
    assert (field >= 0).all()
    assert (field <= 1).all()
