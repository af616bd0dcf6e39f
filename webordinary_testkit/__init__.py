"""The Webordinary test kit: the public names of `webordinary_testkit.kit`, and the packages below it.

In the repository, `kit`, `emulation` and `datachannel` are links to the folders of the same names.
"""
