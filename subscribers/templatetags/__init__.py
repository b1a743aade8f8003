"""Filters for the templates of the readers' pages and mails."""
