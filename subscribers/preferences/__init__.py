"""What readers choose once they are subscribed, up to leaving and coming back.

choices         sections, frequency, hour, pause, language
rhythm          when a newsletter comes, as far as readers can choose
leaving         unsubscribing, the reason for it, and coming back
address_change  a new address, to which the owners of both have to agree
merging         two readers who turn out to be one person
link_request    a new link for a reader who lost theirs
data_request    a link to the reader's data, which asks the mailbox first
requested_mail  the mails of the last four, stored and sent once
locks           locks readers in one order
"""
