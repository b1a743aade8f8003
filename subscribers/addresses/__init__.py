"""Judge e-mail addresses by their text alone; nothing here asks a server.

address     brings an address into its normal form, and into the form by which it is compared
pasted      mends an address that was pasted with what stood around it
mailbox     tells which mailbox receives the mail to an address
mentions    finds the addresses that a text holds, however they are written
mistakes    says what is wrong with an address that cannot be written to
screening   asks about an address that is valid but questionable
typos       recognises a misspelt mail provider
homoglyphs  recognises letters that only look like those of a well-known domain
"""
