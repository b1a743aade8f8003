"""The HTTP API: the operations of `subscribers`, and those on stories and editions."""
