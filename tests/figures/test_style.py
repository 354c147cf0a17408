import math
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.image import imread

from movierec.errors import MovierecError
from movierec.figures.style import (
    find_limits,
    house_style,
    look_of,
    name_best,
    new_figure,
    save_figure,
    set_title,
    show_plain_numbers,
)
from movierec.roster import ROSTER

OKABE_ITO = {"#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
TOL_MUTED = {"#332288", "#882255", "#117733"}


def luminance(color: str) -> float:
    """Return the relative luminance as WCAG 2.1 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio as WCAG 2.1 defines it."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_every_model_has_a_look_of_its_own_in_colour_marker_and_line() -> None:
    for part in zip(*(entry.look for entry in ROSTER), strict=True):
        assert len(set(part)) == len(ROSTER)


def test_colours_are_safe_for_the_colour_blind_and_stand_out_from_white() -> None:
    colors = [look.color for look in (entry.look for entry in ROSTER)]
    for color in colors:
        assert contrast(color, "#ffffff") >= 3  # WCAG 1.4.11 for graphics
        if color not in OKABE_ITO | TOL_MUTED:  # then lightness alone tells it from each other one
            assert all(contrast(color, other) >= 1.5 for other in colors if other != color and other not in TOL_MUTED)


def test_unknown_model_is_refused() -> None:
    with pytest.raises(MovierecError, match=r"no figure knows model 'svd\+\+': give it a row"):
        look_of("svd++")


def test_limits_hold_the_values_and_the_margins() -> None:
    # span 2, a quarter of it below, half of it above
    assert find_limits([3, 1, 2], 0.1, (0.25, 0.5)) == (0.5, 4.0)


def test_limits_of_equal_values_are_as_wide_as_asked_for() -> None:
    low, high = find_limits([0.85, 0.85 + 1e-6], 0.01, 0)
    assert math.isclose(high - low, 0.01)
    assert math.isclose(low + high, 2 * 0.85 + 1e-6)


@pytest.mark.parametrize(
    ("scores", "lowest", "expected"),
    [
        ([0.2, 0.1, 0.3], False, "c"),
        ([0.2, 0.1, 0.3], True, "b"),
        ([0.2, 0.2, 0.1], False, "a and b"),
        ([0.0, 0.0, 0.0], True, "all 3"),
    ],
)
def test_best_are_named(scores: list[float], lowest: bool, expected: str) -> None:  # noqa: FBT001
    assert name_best("abc", scores, lowest=lowest) == expected


def test_two_that_tie_are_both_named() -> None:
    assert name_best(["svd", "als"], [1.0, 1.0]) == "svd and als"


def test_four_of_five_that_tie_are_listed() -> None:
    assert name_best("abcde", [1, 1, 0, 1, 1]) == "a, b, d and e"


def test_style_is_undone_even_after_an_error() -> None:
    before = dict(mpl.rcParams)
    grids = []

    @house_style()
    def fail() -> None:
        grids.append(mpl.rcParams["axes.grid"])
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert grids == [True]
    assert dict(mpl.rcParams) == before


def test_fonts_are_those_that_matplotlib_brings() -> None:
    with house_style():
        for family in (*mpl.rcParams["font.family"], "DejaVu Sans Mono"):
            assert Path(findfont(family)).is_relative_to(mpl.get_data_path())


def test_long_title_is_broken_into_lines_of_like_length() -> None:
    figure, _ = new_figure(width_in=4)  # 36 characters a line
    set_title(figure, "one two three four five six seven eight nine")  # 44 characters
    first, second = figure.get_suptitle().split("\n")
    assert (first, second) == ("one two three four five", "six seven eight nine")


def test_dollar_signs_are_no_mathematics() -> None:
    with house_style():
        figure, axes = new_figure()
        axes.set_xlabel("costs $5 or $6")
        assert not axes.xaxis.label.get_parse_math()
        figure.draw_without_rendering()


def test_tick_labels_are_written_in_full() -> None:
    with house_style():
        figure, axes = new_figure()
        axes.set_xlim(0.8731231, 0.8731239)
        axes.set_ylim(0, 3e7)
        for axis in (axes.xaxis, axes.yaxis):
            show_plain_numbers(axis)
        figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert "0.8731234" in labels
    assert "10000000" in [label.get_text() for label in axes.get_yticklabels()]
    assert axes.xaxis.get_offset_text().get_text() == ""


def test_saved_file_names_no_software_and_no_date(tmp_path: Path) -> None:
    figure, _ = new_figure(width_in=4, height_in=2)
    save_figure(figure, tmp_path / "new" / "empty.png")
    assert imread(tmp_path / "new" / "empty.png").shape[:2] == (2 * 150, 4 * 150)
    written = (tmp_path / "new" / "empty.png").read_bytes()
    chunks, position = [], 8
    while position < len(written):
        chunks.append(written[position + 4 : position + 8])
        position += 12 + int.from_bytes(written[position : position + 4])
    assert set(chunks) == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def test_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk on fire")

    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    figure, _ = new_figure()
    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk on fire"):
        save_figure(figure, path)
    assert [file.name for file in tmp_path.iterdir()] == ["figure.png"]
    assert path.read_bytes() == b"old"


def test_pyplot_is_never_loaded() -> None:
    program = "import sys, stages.plot; sys.exit('matplotlib.pyplot' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
