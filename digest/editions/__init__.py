"""Make an edition and hold it to what was approved."""
