"""Name the function that may delete from the ledger of consent by the module it is in now."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION subscribers_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    purpose text := current_setting('daybreak.ledger', true);
BEGIN
    IF TG_OP = 'DELETE' AND purpose = 'erase' THEN
        RETURN OLD;
    END IF;
    -- Compared as JSON, so that a column that is added later is guarded too.
    IF TG_OP = 'UPDATE' AND purpose = 'fade'
       AND NEW.ip_address IS NULL AND NEW.user_agent = ''
       AND to_jsonb(NEW) - '{ip_address,user_agent}'::text[]
         = to_jsonb(OLD) - '{ip_address,user_agent}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The ledger of consent is only ever added to: % refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'To erase a person, use subscribers.consent_guard.erasing().';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0016_plain_help_texts")]

    # The function does what it did before, so going back leaves it as it is.
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
