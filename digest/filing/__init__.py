"""File stories in sections, by the rules that editors wrote.

phrases   finds an editor's words in a headline, and folders in an address
matching  finds the first rule that a story meets
apply     files what arrives and, when asked, what is there
trial     tells what a rule would file differently
offers    proposes rules from an editor's correction
"""
