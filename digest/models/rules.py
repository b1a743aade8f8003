"""What editors wrote about stories to come: where to file them, and which never to propose."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from digest.models.feeds import Feed
from subscribers.models import Newsletter, Section, one_line


class SectionRule(models.Model):
    """One condition, and the section in which the stories that meet it are filed.

    The first rule that a story meets decides. A story that meets none is filed as its feed is.
    """

    class Kind(models.TextChoices):
        PATH = "path", "the address begins with"
        CATEGORY = "category", "a category is"
        WORDS = "words", "the headline has the words"
        FEED = "feed", "it is a story of the feed"

    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.CASCADE, related_name="section_rules"
    )
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="rules")
    feed = models.ForeignKey(
        Feed,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="section_rules",
        help_text="Only this feed's stories. Empty: the stories of all feeds, and those added by "
        "hand or by a program.",
    )
    kind = models.CharField("if", max_length=8, choices=Kind, default=Kind.PATH)
    value = models.CharField(
        "this",
        max_length=200,
        blank=True,
        validators=[one_line],
        help_text="Folders as in /sport/tennis/; a category as the feed writes it; or words that "
        "stand in the headline whole and in this order. Capitals do not count. For a story of the "
        "feed: empty.",
    )
    position = models.IntegerField(
        default=0, help_text="Rules are tried in this order; the first that a story meets decides."
    )

    class Meta:
        ordering = ["newsletter", "position", "id"]
        # Who may change a newsletter's feeds may change its rules.
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["path", "category", "words", "feed"]),
                name="section_rule_kind_known",
            ),
            # The second of two equal conditions would never decide.
            models.UniqueConstraint(
                fields=["newsletter", "feed", "kind", "value"],
                name="section_rule_once",
                nulls_distinct=False,
                violation_error_message="There is a rule with this condition already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition_in_words}: {self.section}"

    @property
    def condition_in_words(self) -> str:
        """Say what the rule asks: “the address begins with /sport/, of BBC News”."""
        if self.kind == self.Kind.FEED:
            return f"every story of {self.feed}"
        value = self.value if self.kind == self.Kind.PATH else f"“{self.value}”"
        of_feed = f", of {self.feed}" if self.feed else ""
        return f"{self.get_kind_display()} {value}{of_feed}"

    def clean(self) -> None:
        self.value = " ".join(self.value.split())
        if self.kind == self.Kind.PATH:
            self.value = _folders(self.value)
        if self.kind == self.Kind.FEED:
            self.value = ""
            if self.feed is None:
                raise ValidationError({"feed": "Choose the feed whose stories are filed there."})
        elif not self.value:
            raise ValidationError({"value": "Write what to look for."})
        for name in ("section", "feed"):
            chosen = getattr(self, name) if getattr(self, f"{name}_id") else None
            if chosen and self.newsletter_id and chosen.newsletter_id != self.newsletter_id:
                raise ValidationError({name: f"{chosen} belongs to another newsletter."})


class SieveRule(models.Model):
    """Words or folders by which an editor keeps stories from being proposed."""

    class Kind(models.TextChoices):
        WORDS = "words", "the headline has the words"
        PATH = "path", "the address has the folder"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="sieve_rules")
    feed = models.ForeignKey(
        Feed,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sieve_rules",
        help_text="Only this feed's stories. Empty: those of all the newsletter's feeds.",
    )
    kind = models.CharField("if", max_length=8, choices=Kind, default=Kind.WORDS)
    value = models.CharField(
        "this",
        max_length=200,
        validators=[one_line],
        help_text="Words such as Podcast or Live, whole and in this order, or folders such as "
        "/video/. Capitals do not count.",
    )

    class Meta:
        ordering = ["newsletter", "feed", "kind", "value"]
        # Who may change a newsletter's feeds may change its sieve.
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["words", "path"]), name="sieve_rule_kind_known"
            ),
            # It would only be asked twice.
            models.UniqueConstraint(
                fields=["newsletter", "feed", "kind", "value"],
                name="sieve_rule_once",
                nulls_distinct=False,
                violation_error_message="The sieve has this already.",
            ),
        ]

    def __str__(self) -> str:
        return self.reason

    @property
    def reason(self) -> str:
        """Say of a story that it met the rule: “its headline has “Podcast””."""
        if self.kind == self.Kind.PATH:
            return f"its address has the folder {self.value}"
        return f"its headline has “{self.value}”"

    def clean(self) -> None:
        self.value = " ".join(self.value.split())
        if self.kind == self.Kind.PATH:
            self.value = _folders(self.value)
        if not any(character.isalnum() for character in self.value):
            raise ValidationError({"value": "Write words or a folder to look for."})
        # An empty form of a feed that is being added has no feed yet.
        feed = self.feed if self.feed_id else None
        if feed and self.newsletter_id and feed.newsletter_id != self.newsletter_id:
            raise ValidationError({"feed": f"{feed} belongs to another newsletter."})


def _folders(value: str) -> str:
    """Return a path as /a/b/, also if a whole address was pasted; empty if it has no folder."""
    path = value.partition("://")[2].partition("/")[2] if "://" in value else value
    parts = [part for part in path.partition("?")[0].partition("#")[0].split("/") if part.strip()]
    return f"/{'/'.join(parts)}/" if parts else ""
