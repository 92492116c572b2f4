using System.Diagnostics;
using ActorProfiler.Collector.Unwinding;
using ActorProfiler.Tests.Unwinding;

namespace ActorProfiler.Oracles;

/// <summary>Compares each file's unwind rules with readelf's rows. The exit code is 1 when a row differs.</summary>
internal static class FrameOracle
{
    public static int Run(IEnumerable<string> paths)
    {
        var rules = new UnwindRules();
        var differing = 0;
        foreach (var path in paths)
        {
            using var file = Inputs.Open(path);
            var watch = Stopwatch.StartNew();
            if (new UnwindTables(rules, TimeProvider.System).Compile(file) is not { } table)
            {
                Console.WriteLine($"{path}: describes no function");
                continue;
            }

            var elapsed = watch.Elapsed.TotalMilliseconds;
            var rows = FrameListing.Read(path).DistinctBy(row => row.Address).ToList();
            UnwindRule RuleOf(FrameListing.Row row) => rules[table.Find(row.Address)];
            var unsupported = rows.Where(row => RuleOf(row).CfaKind == CfaKind.Unsupported).ToList();
            var different = rows.Where(row => RuleOf(row).CfaKind != CfaKind.Unsupported && !FrameListing.Agree(RuleOf(row), row)).ToList();
            Console.WriteLine($"{path}: {rows.Count} rows, {different.Count} different, {unsupported.Count} unsupported, {table.Deltas.Length} deltas, {table.SkippedEntries} skipped, {elapsed:F0} ms, {rules.Count} rules so far");
            foreach (var row in different.Take(10).Concat(unsupported.Take(5)))
            {
                Console.WriteLine($"    {row} {RuleOf(row)}");
            }

            differing += different.Count;
        }

        return differing == 0 ? 0 : 1;
    }
}
