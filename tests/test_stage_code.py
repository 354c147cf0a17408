"""The code lists of dvc.yaml follow the imports of the stages' scripts."""

from pathlib import Path

import pytest

from movierec.errors import MovierecError
from movierec.stage_code import MARK, find_code, renew_code_lists

PIPELINE = f"""\
stages:
  one:
    cmd: python -m stages.one
    deps:
      - data/in.csv
      {MARK}
      - movierec/gone.py
    outs:
      - data/out.csv
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "stages/__init__.py": "import movierec\n",
        "stages/one.py": "def main():\n    from movierec.deep import inner  # inside a function, too\n",
        "movierec/__init__.py": "",
        "movierec/deep/__init__.py": "",
        "movierec/deep/inner.py": "import numpy\nfrom movierec import other\n",
        "movierec/other.py": "",
        "movierec/unused.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


CODE = [
    "movierec/__init__.py",
    "movierec/deep/__init__.py",
    "movierec/deep/inner.py",
    "movierec/other.py",
    "stages/__init__.py",
    "stages/one.py",
]


def test_code_is_all_that_is_imported_directly_or_not(root: Path) -> None:
    assert find_code("one", root) == CODE


def test_lists_are_renewed_and_all_else_stays(root: Path) -> None:
    renewed = renew_code_lists(PIPELINE, root)
    expected = "".join(f"      - {path}\n" for path in CODE)
    assert renewed == PIPELINE.replace("      - movierec/gone.py\n", expected)
    assert renew_code_lists(renewed, root) == renewed


@pytest.mark.parametrize("pipeline", [PIPELINE.replace(MARK, "# code"), PIPELINE + f"      {MARK}\n"])
def test_a_stage_without_its_mark_or_with_two_is_refused(root: Path, pipeline: str) -> None:
    with pytest.raises(MovierecError, match=r"stage one of dvc.yaml needs one line .* and has [02]"):
        renew_code_lists(pipeline, root)
