"""Signs in a list that a person left: which columns have them, and what their values mean.

leaving_words   the words of values
heading_words   the words of columns' names
roles           what a column's name says of its values
meanings        what a value says of its person
json_cells      finds the statuses in a cell of JSON
mentions        finds a word of leaving in a name, in a note, or in a line of its own
columns         reads one column of signs, with the operator's answers
"""
