"""The kit tests itself: it breaks the reference system on purpose, and must notice.

breaks/<name>.py --> broken.py: the program, broken --> a cloud that runs it --> the scenario the break names
                                                                                         |
verdict.py: red, and for that reason <---------------------------------------------------+
"""
