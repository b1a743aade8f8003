"""What looks like no news is not proposed, unless an editor wants the story or all of its feed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("digest", "0011_story_event")]

    operations = [
        migrations.AddField(
            model_name="story",
            name="is_wanted",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Propose it although it looks like no news, such as a briefing or an "
                "offer.",
            ),
        ),
        migrations.AddField(
            model_name="feed",
            name="takes_all",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Propose also what looks like no news: promotions, briefings, offers, "
                "horoscopes, games, live pages.",
                verbose_name="propose everything",
            ),
        ),
    ]
