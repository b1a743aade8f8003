"""How much each reason counts when a newsletter's stories are ranked."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from subscribers.models import Newsletter

MAX_WEIGHT = 5
# In the order in which an editor reads them.
WEIGHT_NAMES = (
    "sources", "velocity", "feed_weight", "position", "section_fit", "boost", "staleness",
    "follow_up",
)  # fmt: skip


def _weight(default: float, name: str, help_text: str) -> Any:
    return models.FloatField(
        name,
        default=default,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_WEIGHT)],
        help_text=help_text,
    )


class RankingWeights(models.Model):
    """A newsletter's own weights. It has a row once an editor has changed one of them.

    The fields are those of `digest.ranking.terms.Weights`, and so are the defaults. Freshness has
    none: a report of this minute is 1 point ahead of a very old one, and the others count beside
    that. Clicks have none before there are any.
    """

    newsletter = models.OneToOneField(
        Newsletter, on_delete=models.CASCADE, related_name="ranking_weights", editable=False
    )
    sources = _weight(
        0.3,
        "How many outlets report it",
        "Five outlets earn 1.6 times this, twenty earn 3 times.",
    )
    velocity = _weight(
        0.15,
        "How many joined in the last hours",
        "How many outlets took it up in the last three hours: one earns 0.7 times this, four 1.6.",
    )
    feed_weight = _weight(
        0.4,
        "The weight of its feed",
        "A feed of weight 2 earns this, one of weight 4 twice this; one of weight 0.5 loses this.",
    )
    position = _weight(
        0.1,
        "Its place in its feed",
        "The first story of a feed earns all of this, the eleventh a third.",
    )
    section_fit = _weight(
        0.1, "Whether it fits a section", "A story that is filed under a section earns this."
    )
    boost = _weight(
        0.5,
        "An editor's boost",
        "A story that an editor ranks higher earns this, much higher twice this; one that is "
        "ranked lower loses as much.",
    )
    staleness = _weight(
        0.5,
        "How long there was no news of it",
        "What had no news for three days loses this, half of it after two days.",
    )
    follow_up = _weight(
        0.5,
        "Whether it was printed before",
        "A follow-up of what the newsletter has printed loses this.",
    )

    class Meta:
        verbose_name = "weights of the ranking"
        verbose_name_plural = "weights of the ranking"
        constraints = [
            # A penalty that adds, or a weight that nothing can outweigh, is nobody's intention.
            models.CheckConstraint(
                condition=models.Q(
                    *(
                        models.Q(**{f"{name}__gte": 0, f"{name}__lte": MAX_WEIGHT})
                        for name in WEIGHT_NAMES
                    )
                ),
                name="ranking_weights_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"Weights of {self.newsletter}"
