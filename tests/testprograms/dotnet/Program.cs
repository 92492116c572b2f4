using System.Globalization;
using System.Runtime.CompilerServices;

Queries.Run(double.Parse(args[0], CultureInfo.InvariantCulture));

/// <summary>Spends its CPU 60 : 30 : 10 in three methods, by fixed iteration counts.</summary>
internal static class Queries
{
    private static ulong _sink;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(double seconds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started).TotalSeconds < seconds)
        {
            RunQuery();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunQuery()
    {
        SortRows();
        HashRows();
        WriteRows();
        _sink++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SortRows() => Spin(600_000);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void HashRows() => Spin(300_000);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteRows() => Spin(100_000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spin(int rounds)
    {
        var x = _sink;
        for (var i = 0; i < rounds; i++)
        {
            x = (x * 6364136223846793005) + 1442695040888963407;
        }

        _sink = x;
    }
}
