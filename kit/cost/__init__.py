"""What a run costs on AWS: prices, the meter, the prediction and the budget.

    AWS --observer--> history --meter--> items --price table--> bill
                                    loads --prediction--^

The emulated mode is metered the same way, and shows what the same run would cost live. All amounts are US dollars.
"""
