/* Spends its CPU inside the C library, in a thread: sorting, with calls back, and taking and giving back memory. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
#define ROWS	 3000

static volatile int sink;
static int rows[ROWS];
static void *blocks[ROWS];

static int compare_rows(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

NOINLINE void order_rows(void)
{
	for (int i = 0; i < ROWS; i++)
		rows[i] = i * 7919 % 10007;
	qsort(rows, ROWS, sizeof(rows[0]), compare_rows);
	sink++;
}

NOINLINE void allocate_rows(void)
{
	for (int i = 0; i < ROWS; i++)
		blocks[i] = calloc(1, 100 + i % 50);
	for (int i = 0; i < ROWS; i++)
		free(blocks[i]);
	sink++;
}

NOINLINE void run_query(void)
{
	order_rows();
	allocate_rows();
	sink++;
}

static NOINLINE void *serve(void *argument)
{
	for (;;)
		run_query();
	return argument;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, serve, NULL);
	pthread_join(thread, NULL);
	return 0;
}
