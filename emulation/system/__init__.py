"""The reference system: a small, complete Webordinary (Hermes, the edit container, a sample site).

    mail, HTTP -> hermes: sessions, replies, expiry -> edit: git workspaces, previews, hot reload
                                                        |-> agent: instruction -> file changes
                                                        |-> preview: Astro pages -> HTML

The programs are `python -m emulation.system.hermes` and `python -m emulation.system.edit`. They know
nothing of the emulated cloud or of the kit: they run as its tasks, or in real containers.
"""
