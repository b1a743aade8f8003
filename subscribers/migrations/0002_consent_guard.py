"""Let the database refuse any change of the ledger of consent that the law does not require."""

from django.db import migrations

# Its users are in subscribers.consent.guard. The trigger names no module, since modules move.
GUARD = """
CREATE OR REPLACE FUNCTION subscribers_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    purpose text := current_setting('daybreak.ledger', true);
BEGIN
    IF TG_OP = 'DELETE' AND purpose = 'erase' THEN
        RETURN OLD;
    END IF;
    -- Compared as JSON, so that a column that is added later is guarded too.
    IF TG_OP = 'UPDATE' AND purpose = 'anonymise'
       AND NEW.ip_address IS NULL AND NEW.user_agent = ''
       AND to_jsonb(NEW) - '{ip_address,user_agent}'::text[]
         = to_jsonb(OLD) - '{ip_address,user_agent}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The ledger of consent is only ever added to: % refused', TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'A transaction that erases a person has to declare it.';
END $$;

CREATE OR REPLACE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON subscribers_consent
    FOR EACH ROW EXECUTE FUNCTION subscribers_consent_guard();
CREATE OR REPLACE TRIGGER consent_no_truncate BEFORE TRUNCATE ON subscribers_consent
    FOR EACH STATEMENT EXECUTE FUNCTION subscribers_consent_guard();
"""
NO_GUARD = """
DROP TRIGGER consent_no_truncate ON subscribers_consent;
DROP TRIGGER consent_append_only ON subscribers_consent;
DROP FUNCTION subscribers_consent_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, NO_GUARD)]
