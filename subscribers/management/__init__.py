"""The commands about readers.

questions  asks whoever runs a command, or names the option that answers
"""
