/* The library of late.c. */
static volatile unsigned long sink;

__attribute__((noinline)) static void plugin_inner(void)
{
	for (int i = 0; i < 20000; i++)
		sink += sink * 31 + i;
	sink++;
}

void plugin_work(void)
{
	plugin_inner();
	sink++;
}
