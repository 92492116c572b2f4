/* Code for mapped.c: it needs no memory of its own. */
__attribute__((noinline)) static unsigned long mapped_inner(unsigned long rounds)
{
	unsigned long x = rounds;

	for (unsigned long i = 0; i < rounds; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

unsigned long mapped_work(unsigned long rounds)
{
	return mapped_inner(rounds) + 1;
}
