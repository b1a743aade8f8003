"""Count readers for reports.

growth          who came and who left, by day and page
audience_sizes  how many readers each newsletter has
"""
