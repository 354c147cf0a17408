"""Files that workers read and write without the driver's folders."""

from dataclasses import replace
from pathlib import Path

import pytest

from movierec.data.parts import Files
from movierec.errors import MovierecError
from movierec.spark.cluster import Cluster
from movierec.spark.exchange import Exchange, apply_away, open_exchange
from tests.object_storage import Storage


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Two files and a missing one to read, two to write; some of one name."""
    found = Files((tmp_path / "a/part", tmp_path / "b/part", tmp_path / "none"), (tmp_path / "c/part", tmp_path / "d"))
    for number, path in enumerate(found.reads[:2]):
        path.parent.mkdir()
        path.write_text(f"{number}")
    found.writes[0].parent.mkdir()
    return found


def join(files: Files) -> list[str]:
    """Write what the first two hold; return where."""
    first, second, none = files.reads
    assert not none.exists()
    files.writes[0].write_text(first.read_text() + second.read_text())
    return [str(path) for path in (*files.reads, *files.writes)]


@pytest.mark.parametrize("prefix", ["", "exchange", "some/exchange/"])
def test_files_go_to_a_step_and_come_back(storage: Storage, files: Files, tmp_path: Path, prefix: str) -> None:
    with open_exchange(storage.address(prefix)) as exchange:
        exchange.send(files.reads)
        where = apply_away(exchange.address, join, files)
        assert not any(path.startswith(str(tmp_path)) for path in where)
        assert not files.writes[0].exists()
        exchange.fetch(files.writes)
    assert files.writes[0].read_text() == "01"
    assert not files.writes[1].exists()
    assert not any(storage.objects.values())


def test_a_folder_serves_as_well(files: Files, tmp_path: Path) -> None:
    with open_exchange((tmp_path / "exchange").as_uri()) as exchange:
        exchange.send(files.reads)
        apply_away(exchange.address, join, files)
        exchange.fetch(files.writes)
    assert files.writes[0].read_text() == "01"
    assert not list((tmp_path / "exchange").iterdir())


def test_a_file_is_sent_again_only_when_it_has_changed(storage: Storage, files: Files) -> None:
    def count_sent() -> int:
        before = dict(storage.objects)
        storage.objects.clear()
        exchange.send(files.reads)
        sent = len(storage.objects)
        storage.objects |= before
        return sent

    with open_exchange(storage.address("exchange")) as exchange:
        assert [count_sent(), count_sent()] == [2, 0]
        files.reads[0].write_text("longer")
        assert [count_sent(), count_sent()] == [1, 0]


def test_what_a_step_raises_is_raised(exchange: Exchange, files: Files) -> None:
    with pytest.raises(FileNotFoundError):
        apply_away(exchange.address, join, files)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("s4://bucket", "Unrecognized filesystem type"),
        ("nowhere", "URI has empty scheme"),
        ("s3://other/{rest}", "Bucket 'other' not found"),
    ],
)
def test_an_exchange_that_cannot_be_used_is_refused_in_a_line(storage: Storage, address: str, problem: str) -> None:
    given = address.format(rest=storage.address("").partition("/bucket/")[2])
    with (
        pytest.raises(MovierecError, match=f"^the exchange .* cannot be used: .*{problem}") as caught,
        open_exchange(given),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_workers_never_see_the_drivers_paths(
    cluster: Cluster, exchange: Exchange, files: Files, tmp_path: Path
) -> None:
    where = replace(cluster, exchange=exchange).run_on_files(join, [files])[0]
    assert not any(path.startswith(str(tmp_path)) for path in where)
    assert files.writes[0].read_text() == "01"
