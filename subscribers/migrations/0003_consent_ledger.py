"""Make the ledger of consent one that is only ever added to."""

from django.db import migrations

GUARD = """
CREATE FUNCTION subscribers_consent_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
              HINT = 'Who erases a person says so: subscribers.consent_guard.erasing().';
END $$;

CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON subscribers_consent
    FOR EACH ROW EXECUTE FUNCTION subscribers_consent_guard();
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON subscribers_consent
    FOR EACH STATEMENT EXECUTE FUNCTION subscribers_consent_guard();
"""
NO_GUARD = """
DROP TRIGGER consent_no_truncate ON subscribers_consent;
DROP TRIGGER consent_append_only ON subscribers_consent;
DROP FUNCTION subscribers_consent_guard();
"""


class Migration(migrations.Migration):

    dependencies = [("subscribers", "0002_preferences_and_consent")]

    operations = [migrations.RunSQL(GUARD, NO_GUARD)]
