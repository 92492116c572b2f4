/* Lives for some milliseconds of CPU time: main -> outer -> inner, without frame pointers when compiled so. */
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void inner(clock_t until)
{
	while (clock() < until)
		for (int i = 0; i < 2000; i++)
			sink += sink * 31 + i;
	sink++;
}

__attribute__((noinline)) static void outer(clock_t until)
{
	inner(until);
	sink++;
}

int main(int argc, char **argv)
{
	outer(clock() + (argc > 1 ? atol(argv[1]) : 20) * CLOCKS_PER_SEC / 1000);
	return 0;
}
