"""The least-privilege IAM policy of a live run, derived from the calls of a rehearsal.

    calls.jsonl of a rehearsal --calls--> calls.json --actions--> IAM actions --rules--> statements --fill--> policy

`calls.json` and `policy.json` are checked in; the tests fail when a new rehearsal makes more or fewer calls.
"""
