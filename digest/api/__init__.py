"""The API: what the readers' side offers, and stories and editions."""
