/* Works in a library, then unloads it and works in another: reload SECONDS FIRST SECOND. Ends by a signal. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	clock_t begin = clock();

	for (int i = 2; i < argc; i++) {
		void *library = dlopen(argv[i], RTLD_NOW);
		void (*work)(void);

		if (!library) {
			fprintf(stderr, "reload: %s\n", dlerror());
			return 1;
		}
		work = (void (*)(void))dlsym(library, "plugin_work");
		while (i == argc - 1 || clock() - begin < atoi(argv[1]) * CLOCKS_PER_SEC)
			work();
		dlclose(library);
	}
}
