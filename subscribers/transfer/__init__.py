"""Readers in from lists and out to lists: CSV, checked row by row, stored by the ten thousand.

unpacking       opens a list as text, packed by gzip or not, in any of several encodings
csv_lines       reads its lines, each once
spreadsheet     makes records of them
presets         what the columns mean, for each product whose exports are recognised
calendar_names  the names of months and days
dates           reads the dates of a list strictly
signs           which columns say who left, and what their values mean: a room of its own
file_names      what the name of a list says of its people
questions       what a list leaves open, and the operator's answers
tally           counts the values of the columns that may say who left
survey          looks at a whole list before its first row is stored
column_report   what each column was read as, and whom it made leave
rows            what one record says about a reader
placeholders    the addresses of deleted accounts
checking        checks that by the rules of a sign-up
storing         stores a batch, by the few `statements`
statements      the SQL of storing
refusals        removes erased people's addresses from refused rows
importing       imports a list batch by batch, and accounts for every row
jobs            sets up an import that runs in the background
slices          runs it in slices of some seconds
files           keeps uploaded lists while an import needs them
exporting       writes readers as CSV that `importing` reads
whole_file      writes an export to a temporary file, so that it is served whole or not at all
"""
