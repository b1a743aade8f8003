from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digest", "0010_stories_are_checked")]

    operations = [
        migrations.RenameField(model_name="story", old_name="feed_words", new_name="source_hash"),
    ]
