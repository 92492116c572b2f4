/* Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts, so the split does not depend on the load. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

static volatile uint64_t sink;

/* The frame address forces a frame even where the compiler would leave it out of a leaf function. */
static NOINLINE void spin(uint64_t rounds)
{
	uint64_t x = rounds + (uintptr_t)__builtin_frame_address(0);

	for (uint64_t i = 0; i < rounds; i++)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	sink = x;
}

NOINLINE void sort_rows(void)
{
	spin(600000);
	sink++;
}

NOINLINE void hash_rows(void)
{
	spin(300000);
	sink++;
}

NOINLINE void write_rows(void)
{
	spin(100000);
	sink++;
}

NOINLINE void run_query(void)
{
	sort_rows();
	hash_rows();
	write_rows();
	sink++;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 60;
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int i = 0; i < 20; i++)
			run_query();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	return 0;
}
