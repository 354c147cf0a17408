"""Stage clean: read the data's own files, drop what is broken, give ids their codes, and describe what remains."""

from movierec import io, paths
from movierec.data.buckets import BYTES_PER_ROW, Workspace
from movierec.data.catalogue import list_movies, list_users
from movierec.data.clean import clean_ratings
from movierec.data.describe import count_stars, describe_ratings, describe_reading, trace_long_tail
from movierec.data.parts import PART_ROWS, cut_parts
from movierec.data.readers import read_ratings
from movierec.data.tally import Tally
from movierec.errors import run_command
from movierec.feedback import leave_out, require_no_ratings
from movierec.memory import rows_that_fit
from movierec.params import load_params
from movierec.scratch import open_scratch
from movierec.spark.mapping import open_mapping


def main() -> None:
    """Turn data/raw into data/clean."""
    params = load_params()
    bucket_rows = PART_ROWS if params.engine == "spark" else rows_that_fit(BYTES_PER_ROW)
    with open_scratch(paths.RAW.parent, "clean") as scratch, open_mapping(params.engine) as run:
        raw = read_ratings(paths.RAW, params.source, params.feedback, scratch)
        if raw.is_implicit:
            require_no_ratings(params.abtest)
        options = {"rating_scale": params.rating_scale, **params.clean.model_dump(), "seed": params.seed}
        ratings, report = clean_ratings(raw, **options, workspace=Workspace(scratch, bucket_rows), run=run)
        tally = Tally()
        io.write_parts(tally.count(cut_parts(ratings)), paths.CLEAN_RATINGS)
    movies, without_title = list_movies(raw, tally.movies.distinct)
    io.write_parquet(movies, paths.CLEAN_MOVIES)
    io.write_parquet(list_users(raw, tally.users), paths.CLEAN_USERS)
    if raw.is_implicit:
        leave_out("stars", [paths.PLOTS / "clean_ratings.csv"])
    else:
        io.write_csv(count_stars(tally), paths.PLOTS / "clean_ratings.csv")
    io.write_csv(trace_long_tail(tally), paths.PLOTS / "clean_long_tail.csv")
    described = describe_ratings(tally)
    counts = {"rows_in": report.rows_in, "dropped": report.dropped, "movies_without_title": without_title}
    kind = {"implicit": int(raw.is_implicit), "timestamps": int(ratings.has_times), "scale": report.scale._asdict()}
    io.write_json({**described, **counts, **kind}, paths.DETAILS / "clean.json")
    io.write_json({name: described[name] for name in ("ratings", "users", "movies")}, paths.METRICS / "clean.json")
    print(describe_reading(raw, report.scale))
    print(
        f"{described['ratings']:,} of {report.rows_in:,} rows kept: {described['users']:,} users, "
        f"{described['movies']:,} movies, {described['sparsity']:.2%} sparse",
    )


if __name__ == "__main__":
    run_command(main)
