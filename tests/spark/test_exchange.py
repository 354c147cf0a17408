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
    """Two files to read, two to write; some of one name."""
    found = Files((tmp_path / "a/part", tmp_path / "b/part"), (tmp_path / "c/part", tmp_path / "d"))
    for number, path in enumerate(found.reads):
        path.parent.mkdir()
        path.write_text(f"{number}")
    found.writes[0].parent.mkdir()
    return found


def join(files: Files) -> list[str]:
    """Write what both hold into the first of two; return where they were."""
    files.writes[0].write_text("".join(path.read_text() for path in files.reads))
    return [str(path) for path in (*files.reads, *files.writes)]


@pytest.mark.parametrize("prefix", ["", "exchange", "some/exchange/"])
def test_files_go_to_a_step_and_come_back(storage: Storage, files: Files, tmp_path: Path, prefix: str) -> None:
    with open_exchange(storage.address(prefix)) as exchange:
        exchange.send(files.reads)
        where, written = apply_away(exchange.address, join, files)
        assert written == [files.writes[0]]
        assert not any(path.startswith(str(tmp_path)) for path in where)
        assert not files.writes[0].exists()
        exchange.fetch(written)
    assert files.writes[0].read_text() == "01"
    assert not any(storage.objects.values())


def test_a_folder_serves_as_well(files: Files, tmp_path: Path) -> None:
    with open_exchange((tmp_path / "exchange").as_uri()) as exchange:
        exchange.send(files.reads)
        exchange.fetch(apply_away(exchange.address, join, files)[1])
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
    exchange.send(files.reads)
    with pytest.raises(ZeroDivisionError):
        apply_away(exchange.address, lambda _: 1 // 0, files)


def test_what_is_not_there_is_missed(exchange: Exchange, files: Files) -> None:
    with pytest.raises(MovierecError, match="cannot be used: .*part"):
        apply_away(exchange.address, join, files)
    with pytest.raises(MovierecError, match="cannot be used: .*part"):
        exchange.fetch(files.writes)


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
