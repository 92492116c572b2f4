/* Works for itself, then loads a library and works there: late SECONDS LIBRARY. Ends by a signal. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void work_before(double seconds)
{
	clock_t until = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	while (clock() < until)
		for (int i = 0; i < 20000; i++)
			sink += sink * 31 + i;
	sink++;
}

int main(int argc, char **argv)
{
	void *library;
	void (*work)(void);

	work_before(argc > 1 ? atof(argv[1]) : 1);
	library = dlopen(argc > 2 ? argv[2] : "./plugin.so", RTLD_NOW);
	work = library ? (void (*)(void))dlsym(library, "plugin_work") : 0;
	if (!work) {
		fprintf(stderr, "late: %s\n", dlerror());
		return 1;
	}
	for (;;)
		work();
}
