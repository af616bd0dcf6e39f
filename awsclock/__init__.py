"""AWS time for every process of a run: the kit, the emulated cloud and the tasks.

- `clock.py`: `AwsClock`, what each package's clock is made of: reads AWS time, sleeps, sets timers and timeouts.
- `page.py`: a memory-mapped file with the time, and a slot for each event loop that takes part.
- `loop.py`, `participant.py`: an event loop that publishes in its slot whether it is idle, and its next AWS deadline.
- `authority.py`, `quiescence.py`: the process that moves the time forward when nothing can run.

Imports nothing of the other packages, and only what the standard library has.
"""
