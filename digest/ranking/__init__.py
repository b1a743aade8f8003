"""Order a day's candidates, best first; pure."""
