/* Spins below frames of 1 MiB and of 300 KiB until it is killed. */
#include <stdio.h>

__attribute__((noinline)) static unsigned spin(volatile char *room, unsigned from)
{
	for (int i = 0; i < 1000000; i++)
		from = from * 1103515245 + 12345;
	room[0] = (char)from;
	return from;
}

__attribute__((noinline)) static unsigned in_300_kib(unsigned from)
{
	volatile char room[300 << 10];

	room[sizeof(room) - 1] = (char)from;
	return spin(room, from) + room[sizeof(room) - 1];
}

__attribute__((noinline)) static unsigned in_a_mebibyte(unsigned from)
{
	volatile char room[1 << 20];

	room[sizeof(room) - 1] = (char)from;
	return in_300_kib(from) + room[sizeof(room) - 1];
}

int main(void)
{
	unsigned result = 1;

	puts("ready");
	fflush(stdout);
	for (;;)
		result = in_a_mebibyte(result);
}
