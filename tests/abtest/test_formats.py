"""How numbers are written: enough digits, no negative nothing."""

import pytest

from movierec.abtest.formats import count_decimals, format_interval, format_number, format_p


@pytest.mark.parametrize(
    ("standard_error", "decimals"),
    [
        (0.00146, 4),
        (0.001, 4),
        (0.000999, 5),
        (0.0999, 3),
        (0.1, 2),
        (1.0, 1),
        (9.9, 1),
        (10.0, 0),
        (1e9, 0),
        (1e-40, 12),
    ],
)
def test_decimals_show_two_digits_of_the_standard_error(standard_error: float, decimals: int) -> None:
    assert count_decimals(standard_error) == decimals


def test_what_rounds_to_nothing_has_no_minus() -> None:
    assert format_number(-0.004, 2) == "0.00"
    assert format_interval(-0.004, 0.006, 2, "+") == "+0.00 to +0.01"


@pytest.mark.parametrize(
    ("p_value", "text"), [(0.0, "p < 0.001"), (0.000999, "p < 0.001"), (0.001, "p = 0.001"), (1.0, "p = 1.000")]
)
def test_p_values(p_value: float, text: str) -> None:
    assert format_p(p_value) == text
