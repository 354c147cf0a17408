"""Stage clean: read the data's own files, drop what is broken, give ids their codes, and describe what remains."""

from movierec import io, paths, seeds
from movierec.columns import TIMESTAMP
from movierec.data.catalogue import list_movies, list_users
from movierec.data.clean import clean_ratings
from movierec.data.describe import count_stars, describe_ratings, describe_reading, trace_long_tail
from movierec.data.readers import read_ratings
from movierec.errors import run_command
from movierec.feedback import leave_out
from movierec.params import load_params


def main() -> None:
    """Turn data/raw into data/clean."""
    params = load_params()
    raw = read_ratings(paths.RAW, params.source, params.feedback)
    if raw.is_implicit:
        params.require_no_ratings()
    rng = seeds.rng(params.seed, "clean", "sample")
    ratings, report = clean_ratings(raw, rating_scale=params.rating_scale, **params.clean.model_dump(), rng=rng)
    movies, without_title = list_movies(raw, ratings)
    io.write_parquet(ratings, paths.CLEAN_RATINGS)
    io.write_parquet(movies, paths.CLEAN_MOVIES)
    io.write_parquet(list_users(raw, ratings), paths.CLEAN_USERS)
    if raw.is_implicit:
        leave_out("stars", [paths.PLOTS / "clean_ratings.csv"])
    else:
        io.write_csv(count_stars(ratings), paths.PLOTS / "clean_ratings.csv")
    io.write_csv(trace_long_tail(ratings), paths.PLOTS / "clean_long_tail.csv")
    described = describe_ratings(ratings)
    counts = {"rows_in": report.rows_in, "dropped": report.dropped, "movies_without_title": without_title}
    kind = {"implicit": int(raw.is_implicit), "timestamps": int(TIMESTAMP in ratings), "scale": report.scale._asdict()}
    io.write_json({**described, **counts, **kind}, paths.DETAILS / "clean.json")
    io.write_json({name: described[name] for name in ("ratings", "users", "movies")}, paths.METRICS / "clean.json")
    print(describe_reading(raw, report.scale))
    print(
        f"{described['ratings']:,} of {report.rows_in:,} rows kept: {described['users']:,} users, "
        f"{described['movies']:,} movies, {described['sparsity']:.2%} sparse",
    )


if __name__ == "__main__":
    run_command(main)
