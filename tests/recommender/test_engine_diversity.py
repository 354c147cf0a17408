"""Lists whose genres vary: re-ranked from a longer list of any model."""

import numpy as np

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Answer, Engine
from movierec.recommender.profiles import Profile


def ids_of(answer: Answer) -> list[int]:
    return [int(item.movie.movie_id) for item in answer.items]


def test_a_diverse_list_has_more_genres(engine: Engine, artifacts: Artifacts) -> None:
    def count(diversity: float) -> int:
        lists = [engine.recommend(artifacts.profiles.find(user), 10, diversity=diversity).items for user in users]
        assert all(len({item.movie.movie_id for item in items}) == 10 for items in lists)
        return sum(len({genre for item in items for genre in item.movie.genres}) for items in lists)

    users = artifacts.models["als"].users.ids[:20].tolist()
    assert count(0.5) > count(0.2) > count(0.0)
    profile, best = artifacts.profiles.find(users[0]), ids_of(engine.recommend(artifacts.profiles.find(users[0]), 50))
    varied = ids_of(engine.recommend(profile, 5, diversity=0.3))
    assert varied[0] == best[0]
    assert set(varied) <= set(best)
    assert ids_of(engine.recommend(profile, 60, diversity=1e-9)) == ids_of(engine.recommend(profile, 60))


def test_where_nothing_is_left_nothing_is_varied(engine: Engine, artifacts: Artifacts) -> None:
    every = artifacts.models["als"].movies.ids
    profile = Profile(1, every, np.full(len(every), 3, np.float32), trained=False, changed=True)
    assert engine.recommend(profile, 5, model="als", diversity=0.2).items == ()
