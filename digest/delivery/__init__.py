"""Send an edition to its readers and record each outcome."""
