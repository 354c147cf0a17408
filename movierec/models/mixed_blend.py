"""A blend with movies that were not in its fit."""

from movierec.models.als import ALS
from movierec.models.base import Rows
from movierec.models.blend import Blend, Floats, standardize
from movierec.models.mixed_ease import MixedEASE


class MixedBlend(Blend):
    """A blend whose parts have new movies behind the others; both are standardised over all of them.

    Parameters
    ----------
    blend : Blend
        Fitted; left as it is.
    ease : MixedEASE
        Its one part, with the new movies.
    als : ALS
        Its other part, with rows for them.
    """

    def __init__(self, blend: Blend, ease: MixedEASE, als: ALS) -> None:
        vars(self).update(vars(blend))
        self._take_parts(ease, als)
        self.movie_bias = als.movie_bias

    def score_rows(self, user_rows: Rows) -> Floats:
        """Return the blended scores, shape (users, movies + new)."""
        ease, als = (standardize(part.score_rows(user_rows))[0] for part in (self.ease, self.als))
        return self.mix(ease, als, self.weight)
