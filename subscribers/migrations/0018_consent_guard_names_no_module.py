"""Let the guard of the ledger of consent name no module, since modules move."""

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
              HINT = 'A transaction that erases a person has to declare it.';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0017_consent_guard_hint")]

    # The function does what it did before, so going back leaves it as it is.
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
