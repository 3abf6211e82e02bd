"""What compiled guests need at run time, in the subset itself. Only what a guest uses is compiled in."""
