"""Count readers for reports: growth by day and page, and how large each newsletter is."""
