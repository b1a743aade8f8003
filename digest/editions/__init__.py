"""Draft, edit and approve an edition, and decide what becomes of it at its send time.

draft   proposes an edition for each slot: its stories, their order, its subject
edit    changes what an edition says, and so voids its approval
decide  approves, releases, holds, skips or stops an edition, and for which readers
"""
