"""What the readers' pages and mails need in their templates."""
