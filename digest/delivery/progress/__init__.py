"""Tell how an edition under way is getting on.

report   counts an edition's rows by outcome and reason
watch    a snapshot of an edition under way, cached for all who look at it
wording  puts counts, speeds and times into words
"""
