"""Ask servers of other people, by addresses that other people wrote."""
