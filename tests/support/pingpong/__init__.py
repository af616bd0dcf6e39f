"""A game between real processes that makes a lost wake-up of the clock visible.

    driver --SendMessage--> gateway --> queue --long poll--> partner --works, sleeps, SendMessage--> … --> driver
           --GET--> load balancer --> partner --works, sleeps--> answers
           --sleeps

Each rally runs these three at once, with random timers from milliseconds to a minute. The driver waits for an AWS
deadline all the time. A jump is false when it happens inside a leg in which something was under way: the page's
counter of jumps, sent along with each message, shows it. And the three must end in the order of their durations, as
they do in real time.

    python -m tests.support.pingpong 10000
"""
