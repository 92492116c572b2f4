// Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

static volatile std::uint64_t sink;

namespace rows {
template <typename Number> __attribute__((noinline)) void spin(int rounds)
{
	Number x = sink;
	for (int i = 0; i < rounds; i++)
		x = x * 6364136223846793005u + 1442695040888963407u;
	sink = x;
}

struct Query {
	__attribute__((noinline)) void sort_rows()
	{
		spin<std::uint64_t>(600000);
		sink = sink + 1;
	}
	__attribute__((noinline)) void hash_rows()
	{
		spin<std::uint64_t>(300000);
		sink = sink + 1;
	}
	__attribute__((noinline)) void write_rows()
	{
		spin<std::uint64_t>(100000);
		sink = sink + 1;
	}
	__attribute__((noinline)) void run_query()
	{
		sort_rows();
		hash_rows();
		write_rows();
		sink = sink + 1;
	}
};
}

int main(int, char **arguments)
{
	auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(std::atof(arguments[1]));
	rows::Query query;
	while (std::chrono::steady_clock::now() < end)
		query.run_query();
}
