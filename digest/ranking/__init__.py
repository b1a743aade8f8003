"""Order the candidates of a day or a week, best first; pure.

rank  chooses and orders an edition's stories
week  chooses the best of what a week printed
"""
