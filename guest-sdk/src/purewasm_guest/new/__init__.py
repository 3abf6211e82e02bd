"""`purewasm new`: projects for host modules and guests that build, test and publish as they stand."""
