"""What a story's title means, as numbers, while it can still be grouped."""

from __future__ import annotations

from django.db import models

from digest.models.stories import Story


class TitleVector(models.Model):
    """The vector of one story's title, of length 1, as an embedding made it.

    A table of its own keeps stories small. digest.events.vectors fills and empties it.
    """

    story = models.OneToOneField(
        Story, on_delete=models.CASCADE, primary_key=True, related_name="title_vector"
    )
    # The dotted path of the embedding, settings.EVENT_EMBEDDING.
    embedding = models.CharField(max_length=200)
    # Numbers in the vector; 0 if the embedding made none of this title.
    dimension = models.PositiveIntegerField()
    # They follow one another, each a float16 of two bytes, the lower one first.
    numbers = models.BinaryField()
    # MD5 of the title that it was made of, so that a query finds what has changed.
    title_md5 = models.CharField(max_length=32)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [
            # events.vectors: what is too old to be compared.
            models.Index(fields=["made_at"], name="title_vector_age"),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} numbers for story {self.pk}"
