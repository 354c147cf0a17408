import hashlib
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data.registry import DATASETS, find_dataset
from movierec.errors import MovierecError

NAMES = {"ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small"}


def test_every_published_release_is_registered_under_its_name() -> None:
    assert set(DATASETS) == NAMES
    assert all(find_dataset(name).name == name for name in NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_release_has_an_address_and_a_proof(name: str) -> None:
    dataset = DATASETS[name]
    assert dataset.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
    assert dataset.md5 or dataset.members
    for digest, length in [(dataset.md5 or "0" * 32, 32), *((sha256, 64) for sha256 in dataset.members.values())]:
        assert len(digest) == length
        assert set(digest) <= set("0123456789abcdef")


def test_no_two_releases_share_a_proof() -> None:
    proofs = [proof for each in DATASETS.values() for proof in (each.md5, *each.members.values()) if proof]
    assert len(set(proofs)) == len(proofs)


@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small"])
def test_pinned_members_are_those_of_the_real_archive(mirror: Path, name: str) -> None:
    with zipfile.ZipFile(mirror / f"{name}.zip") as archive:
        found = {m: hashlib.sha256(archive.read(f"{name}/{m}")).hexdigest() for m in DATASETS[name].members}
    assert found
    assert found == DATASETS[name].members


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ml-25", "ml-25m"),
        ("ML-1M", "ml-1m"),
        ("ml-latest", "ml-latest-small"),
        ("ml100k", "ml-100k"),
        ("sythetic", "synthetic"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_and_all_that_is_allowed(typed: str, meant: str) -> None:
    with pytest.raises(MovierecError, match=f"unknown data set '{typed}': did you mean '{meant}'.*ml-32m.*zip.*folder"):
        find_dataset(typed)


@given(st.text().filter(lambda name: name not in NAMES))
def test_any_other_text_is_refused_in_plain_words(name: str) -> None:
    with pytest.raises(MovierecError, match="did you mean"):
        find_dataset(name)
