/* The C half of splitcgo: spends time itself, and calls back into Go. */
#include <stdint.h>

static volatile uint64_t sink;

extern void sortInGo(int rounds);

__attribute__((noinline)) static void c_spin(int rounds)
{
	uint64_t x = sink;

	for (int i = 0; i < rounds; i++)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	sink = x;
}

void sort_rows(int rounds)
{
	sortInGo(rounds);
	sink++;
}

void hash_rows(int rounds)
{
	c_spin(rounds);
	sink++;
}
