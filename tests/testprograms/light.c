/* Works for a moment and sleeps, by turns, for so many seconds: one of the many processes of a host. */
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void work(void)
{
	for (int i = 0; i < 100000; i++)
		sink += sink * 31 + i;
	sink++;
}

int main(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = 50000000 };
	int turns = (argc > 1 ? atoi(argv[1]) : 60) * 20;

	for (int i = 0; i < turns; i++) {
		work();
		nanosleep(&pause, 0);
	}
	return 0;
}
