"""Objects and prefixes of S3 as datasets."""

from pathlib import Path

import pytest

from movierec.data.download import fetch_dataset, open_dataset
from movierec.errors import MovierecError
from tests.data.download.folders import LayoutFiles, assert_untouched, files_in
from tests.object_storage import Storage


@pytest.fixture(autouse=True)
def shop(storage: Storage, layout_files: LayoutFiles) -> None:
    storage.objects |= {f"shop/{name}": content for name, content in layout_files["csv"].items()}
    storage.objects |= {"shop/older/ratings.csv": b"no", "shopping.csv": b"no"}


@pytest.mark.parametrize("address", ["s3://bucket/shop", "s3a://bucket/shop/"])
def test_a_prefix_is_copied_without_what_lies_deeper(raw: Path, layout_files: LayoutFiles, address: str) -> None:
    report = fetch_dataset(address, raw)
    assert files_in(raw) == layout_files["csv"]
    assert (report.name, report.layout, report.files) == ("shop", "csv", 2)


def test_an_object_is_a_table_or_a_zip(storage: Storage, raw: Path, layout_files: LayoutFiles, genuine: bytes) -> None:
    assert fetch_dataset("s3://bucket/shop/ratings.csv", raw).name == "ratings.csv"
    assert files_in(raw) == {"ratings.csv": layout_files["csv"]["ratings.csv"]}
    storage.objects["tiny.zip"] = genuine
    assert fetch_dataset("s3://bucket/tiny.zip", raw).name == "tiny"
    assert files_in(raw) == layout_files["csv"]
    with open_dataset("s3://bucket/shop/ratings.csv") as (folder, label):
        assert files_in(folder) == {"ratings.csv": layout_files["csv"]["ratings.csv"]}
        assert label == "s3://bucket/shop/ratings.csv"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("s3://bucket/none", "there is no such object"),
        ("s3://bucket/shop/movies.csv", "ACCESS_DENIED"),
        ("s3://bucket/a b", "Cannot parse URI"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(storage: Storage, raw: Path, address: str, problem: str) -> None:
    storage.refused = "shop/movies.csv"
    with pytest.raises(MovierecError, match=rf"^{address}: .*{problem}.*; or download it by hand") as caught:
        fetch_dataset(address, raw)
    assert "\n" not in str(caught.value)
    assert_untouched(raw)
