"""The editors' desk: one module per surface."""
