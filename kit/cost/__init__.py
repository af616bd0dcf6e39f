"""The cost of a run on AWS: prices, meter, prediction and budget.

    AWS --observer--> history --meter--> items --price table--> bill
                                    loads --prediction--^

Emulated runs are metered in the same way and show what the run would cost live. All amounts are US dollars.
"""
