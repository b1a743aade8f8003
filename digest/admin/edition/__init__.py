"""The admin of one edition, from draft to sent.

editions    the list, and the model's admin that the other modules belong to
form        the form: copy, order of stories, and a fingerprint of what the editor saw
proposals   proposals beside the fields for subject and preheader
merge       what an editor changed on their page, put onto what is saved by now
conflict    who changed it while somebody else had it open, and what of it would be lost
reasons     why a draft chose a story, as a table of terms
panel       what stands above the form: status, problems, readers, progress
rights      which permission each step needs
actions     the buttons beside the form, previews, and a new edition by hand
decisions   the buttons that decide whether it goes out: approve, send now, skip
under_way   the buttons once it is under way or sent: stop, correct, resend
history     what became of an edition without anybody's click
pages       what the pages of an edition share: permissions, rendering, the way back
"""
