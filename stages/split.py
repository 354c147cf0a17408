"""Stage split: put every rating into train, validation or test."""

from movierec import io, paths, seeds
from movierec.data.split import describe_split, split_ratings
from movierec.errors import run_command
from movierec.params import load_params


def main() -> None:
    """Turn data/clean/ratings.parquet into the three parts in data/split."""
    params = load_params()
    rng = seeds.rng(params.seed, "split", "shuffle")
    parts = split_ratings(io.read_parquet(paths.CLEAN_RATINGS), **params.split.model_dump(), rng=rng)
    for path in (paths.TRAIN, paths.VALIDATION, paths.TEST):
        io.write_parquet(parts[path.stem], path)
    report = describe_split(parts)
    io.write_json(report, paths.DETAILS / "split.json")
    io.write_json(
        {name: {"ratings": counts["ratings"]} for name, counts in report.items()}, paths.METRICS / "split.json"
    )
    for name, counts in report.items():
        new = counts.get("ratings_not_in_train", 0)
        print(f"{name:<10} {counts['ratings']:>10,} ratings, {new:,} of a user or movie that train does not hold")


if __name__ == "__main__":
    run_command(main)
