"""An archive is genuine by its own hash or by those of its members."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from movierec.data.registry import DATASETS, Dataset
from movierec.data.unpack import check_genuine
from movierec.errors import MovierecError
from tests.data.unpack.archives import GENUINE, Zipped


def dataset_of(content: bytes | None, members: Mapping[str, bytes]) -> Dataset:
    md5 = None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()
    hashes = {name: hashlib.sha256(inner).hexdigest() for name, inner in members.items()}
    return Dataset("ml-x", "https://example.org/ml-x.zip", md5, hashes)


def test_the_published_archive_is_genuine_by_its_md5_alone(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped(GENUINE))
    check_genuine(archive, dataset_of(archive.read_bytes(), {"absent": b""}))


def test_a_copy_zipped_again_is_genuine_by_its_members(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped({**GENUINE, "ml-x/extra": b"x"}))
    check_genuine(archive, dataset_of(b"another", {"ratings.csv": GENUINE["ml-x/ratings.csv"]}))


@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small"])
def test_the_mirror_holds_genuine_archives(mirror: Path, name: str) -> None:
    check_genuine(mirror / f"{name}.zip", DATASETS[name])


def test_one_archive_is_not_taken_for_another(mirror: Path) -> None:
    with pytest.raises(
        MovierecError, match=r"is not the ml-100k .* expected a file u.data with sha256 06416e.*, got none"
    ):
        check_genuine(mirror / "ml-latest-small.zip", DATASETS["ml-100k"])


def test_a_wrong_md5_tells_both_and_what_to_do(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped(GENUINE))
    got = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    expected = rf"my\.zip is not the ml-1m .* expected md5 c4d9eecfca2ab87c1945afe126590906, got {got}; get https"
    with pytest.raises(MovierecError, match=expected):
        check_genuine(archive, DATASETS["ml-1m"])


def test_a_changed_member_tells_both_hashes_and_the_label(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped({**GENUINE, "ml-x/ratings.csv": b"forged"}))
    wanted, got = (hashlib.sha256(inner).hexdigest() for inner in (GENUINE["ml-x/ratings.csv"], b"forged"))
    with pytest.raises(MovierecError, match=rf"^the label is not .* sha256 of ratings.csv {wanted}, got {got}; get"):
        check_genuine(archive, dataset_of(None, {"ratings.csv": GENUINE["ml-x/ratings.csv"]}), label="the label")


@pytest.mark.parametrize("name", ["ml-25m", "ml-latest-small"])
def test_damage_is_told_before_a_hash(zipped: Zipped, archive: Path, name: str) -> None:
    archive.write_bytes(zipped(GENUINE)[:-30])
    with pytest.raises(MovierecError, match="truncated or damaged"):
        check_genuine(archive, DATASETS[name])
