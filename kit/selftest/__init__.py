"""Self-test of the kit: it breaks the reference system on purpose and must detect every break.

breaks/<name>.py --> broken.py: the broken program --> a cloud that runs it --> the scenario that the break names
                                                                                         |
detection.py: red, for that reason     <---------------------------------------------------+
"""
