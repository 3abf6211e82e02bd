"""Code for processors that lack something: instructions that they do not have are replaced by others with the same effect.

The emitters write for a processor with AVX2, BMI and the bit counts, and look at no processor. Where one of these is missing, each
instruction that needs it is replaced behind the emitters, wherever it stands, by a sequence that leaves everything else alone:

    vsubsd xmm1, xmm2, [r15+rax+8]      movaps xmm1, xmm2
                                        subsd xmm1, [r15+rax+8]
    lzcnt eax, ecx                      bsr eax, ecx
                                        jne +5
                                        mov eax, 63
                                        xor eax, 31

So there is one set of emitters, and a set of features is right when each of its sequences does what its instruction does, which a
test finds out by running both.

    scan        where such instructions are
    sequence    what is written in their place
    vector      AVX and AVX2 to SSE4.1
    integer     BMI1, BMI2, LZCNT and POPCNT to what every x86-64 processor has
    rewrite     the pass: code with its labels, jumps, traps and constants, moved apart
"""
