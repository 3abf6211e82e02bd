"""From allocated IR to bytes. `state` is the code under construction, `moves` parallel moves, `body` the loop over the instructions with
the frequent ones in it; the others stand by family in `control calls memory numeric float table vector reference aggregate exceptions
atomic`."""
