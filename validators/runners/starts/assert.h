/* Stands before the system's own header, so that no NDEBUG of a candidate turns asserts off. */
#undef NDEBUG
#include_next <assert.h>
