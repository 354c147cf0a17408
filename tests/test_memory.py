import os
from pathlib import Path

import pytest

from movierec import memory
from movierec.errors import MovierecError
from movierec.memory import VARIABLE, read_memory_limit, rows_that_fit


def test_what_is_said_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "2.5")
    assert read_memory_limit() == 2.5e9
    assert rows_that_fit(100) == (2.5e9 - memory.BASE_BYTES) // 100


def test_by_default_it_is_a_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(memory, "_CGROUPS", ())
    assert read_memory_limit() == pytest.approx(0.6 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


@pytest.mark.parametrize(("content", "limit"), [("2500000000\n", 1.5e9), ("max\n", None), (str(2**63 - 4096), None)])
def test_a_container_has_less(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, limit: float | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(memory, "_CGROUPS", ())
    machine = read_memory_limit()
    (tmp_path / "memory.max").write_text(content)
    monkeypatch.setattr(memory, "_CGROUPS", (str(tmp_path / "absent"), str(tmp_path / "memory.max")))
    assert read_memory_limit() == pytest.approx(limit or machine)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("0.2", "^MOVIEREC_MEMORY_LIMIT_GB is 0.2, but cleaning and splitting need at least 1 GB of memory$"),
        ("-1", "at least 1 GB"),
        ("nan", "at least 1 GB"),
        ("inf", "at least 1 GB"),
        ("much", "^MOVIEREC_MEMORY_LIMIT_GB is 'much': give a number of gigabytes, such as 4$"),
    ],
)
def test_a_limit_that_does_not_do_is_refused(monkeypatch: pytest.MonkeyPatch, said: str, message: str) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(MovierecError, match=message):
        read_memory_limit()


def test_a_small_machine_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(memory, "SHARE", 1e-9)
    with pytest.raises(MovierecError, match=r"^this machine leaves 0\.0 GB, but cleaning"):
        read_memory_limit()
