/*
 * Long after its start brings code into memory that no dynamic linker knows of: mapped FILE OFFSET
 * calls the function at that offset of the file, mapped by hand, and copies of a function of its own, each in
 * anonymous memory of its own. Ends by a signal.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define NOINLINE    __attribute__((noinline))
#define CODE_BYTES  256
#define FILE_BYTES  (64 << 10)
#define MOST_COPIES 400

static volatile unsigned long sink;

/* The frame address forces a frame. */
static NOINLINE unsigned long generated(unsigned long rounds)
{
	unsigned long x = rounds + (unsigned long)__builtin_frame_address(0);

	for (unsigned long i = 0; i < rounds; i++)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	return x;
}

static NOINLINE void call_generated(unsigned long (*code)(unsigned long))
{
	sink += code(300000) * 3; /* not the same function as the next */
	sink++;
}

static NOINLINE void call_mapped(unsigned long (*code)(unsigned long))
{
	sink += code(300000);
	sink++;
}

static void *map(int file, int flags, int protection)
{
	void *at = mmap(NULL, FILE_BYTES, protection, MAP_PRIVATE | flags, file, 0);

	if (at == MAP_FAILED) {
		perror("mapped: mmap");
		exit(1);
	}
	return at;
}

int main(int argc, char **argv)
{
	int file = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	clock_t begin = clock();
	char *plugin, *copy = NULL;

	while (clock() - begin < CLOCKS_PER_SEC / 5)
		for (int i = 0; i < 20000; i++)
			sink += sink * 31 + i;
	plugin = map(file, 0, PROT_READ | PROT_EXEC);
	for (int round = 0;; round++) {
		if (round % 16 == 0 && round < 16 * MOST_COPIES) {
			copy = map(-1, MAP_ANONYMOUS, PROT_READ | PROT_WRITE | PROT_EXEC);
			memcpy(copy, (void *)generated, CODE_BYTES);
		}
		call_generated((void *)copy);
		call_mapped((void *)(plugin + strtoul(argv[2], NULL, 16)));
	}
}
