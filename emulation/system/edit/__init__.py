"""The edit container: carries out instructions in git workspaces, and shows what they made.

    POST work -> lock of the workspace -> clone, branch -> agent -> commit, push -> hot reload
    GET  page -> session -> branch's commit -> preview

Any task can serve any session: everything that matters lies on the shared workspace.
"""
