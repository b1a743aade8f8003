"""The commands about readers.

import_options  turns the options of import_subscribers into the plan of an import
questions       asks whoever runs a command, or names the option that answers
"""
