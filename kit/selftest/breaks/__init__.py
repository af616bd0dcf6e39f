"""One file for each break: what it says in its first line went wrong in the deployed system, or nearly did."""
