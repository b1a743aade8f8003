"""The admin of one edition, from draft to sent.

editions   the list, and the model's admin that the other modules belong to
form       the form: copy, order of stories, and a fingerprint of what the editor saw
panel      what stands above the form: status, problems, readers, progress
actions    the buttons while an edition can still be changed
under_way  the buttons once it is under way or sent: stop, correct, resend
pages      what the pages of an edition share: permissions, rendering, the way back
"""
