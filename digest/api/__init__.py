"""The HTTP API: the operations of `subscribers`, and those on stories and editions.

app       assembles the API from its routers
urls      the URLs of the API and of its description
stories   pushes and lists stories
editions  reads the editions that were sent
desk      creates, edits, approves, sends and stops editions
drafts    the schemas of an edition in any state
"""
