"""Propose an edition for a slot.

slots        the days and times at which a newsletter's schedules have an edition
draft        makes a slot's edition and fills it
propose      what an edition would print, for a daily one from what is new
pool         the stories that are new and not taken
backtest     what other weights would have proposed lately
best_of      the best of a week, for a weekly edition
features     what the ranking goes by, and its reasons in words
passed_over  why a story is not proposed, and why a draft has so few
topic        which stories share a topic, in words
follow_ups   which stories say something new of an event that was printed
sieved       what the sieve keeps back of a feed
feed_yield   what became of the stories of each feed
subject      subject and preheader, from the headlines
inbox_lines  the same for an edition, unlike those of the last editions
exchange     which stories of a new proposal are clearly better than a draft's
refresh      what is fresher, taken into a draft that nobody has touched
offers       what is fresher, offered where somebody has
links        whether the links of coming editions still lead to a page
extra        makes an extra edition of one story, as breaking news
missed       slots that passed while nothing ran
rhythm       what a newsletter's schedules promise its readers
"""
