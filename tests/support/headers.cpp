// What all tests precompile belongs to this program, which does nothing.
