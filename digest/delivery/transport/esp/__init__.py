"""Send messages through an ESP, or through any other e-mail backend of Django.

connection      the transport, in few requests where possible
capabilities    what each ESP takes in one request
mails           one Django mail for each reader, or one for several readers
parsed_message  a finished message, parsed into the parts that a backend needs
results         a backend's status or exception, as outcomes
"""
