"""Languages of feeds and stories, which stories have one text, and the vectors of titles."""

import digest.models.feeds
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('digest', '0016_stories_have_no_default_date'),
    ]

    operations = [
        migrations.AddField(
            model_name='feed',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', help_text='Such as en or pt-BR. Empty: what the feed says.', max_length=12, validators=[digest.models.feeds.validate_language]),
        ),
        migrations.AddField(
            model_name='feed',
            name='stated_language',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=12),
        ),
        migrations.AddField(
            model_name='story',
            name='stated_language',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=12),
        ),
        migrations.AddField(
            model_name='story',
            name='text_number',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='story',
            name='cluster',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='TitleVector',
            fields=[
                ('story', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='title_vector', serialize=False, to='digest.story')),
                ('embedding', models.CharField(max_length=200)),
                ('dimension', models.PositiveIntegerField()),
                ('numbers', models.BinaryField()),
                ('title_md5', models.CharField(max_length=32)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['made_at'], name='title_vector_age')],
            },
        ),
    ]
