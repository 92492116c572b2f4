using System.Diagnostics;
using System.Globalization;
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
            foreach (var row in different.Take(10))
            {
                Console.WriteLine($"    {row} {RuleOf(row)}");
            }

            foreach (var (why, those) in unsupported.GroupBy(Why).Select(group => (group.Key, group.ToList())).OrderByDescending(group => group.Item2.Count))
            {
                Console.WriteLine($"    unsupported: {those.Count} {why}, such as {those[0]}");
            }

            differing += different.Count;
        }

        return differing == 0 ? 0 : 1;
    }

    /// <summary>Which part of a row our rules have no room for.</summary>
    private static string Why(FrameListing.Row row)
    {
        var offset = row.Cfa.IndexOfAny(['+', '-']) is var sign and > 0 ? long.Parse(row.Cfa.AsSpan(sign), CultureInfo.InvariantCulture) : 0;
        return row.ReturnAddress != "c-8" ? "that restore all registers, their stack pointer too (longjmp, setcontext)"
            : row.Cfa == "exp" ? "whose frame is an expression of another form"
            : Math.Abs(offset) > int.MaxValue ? "of frames over 2 GiB"
            : "of another form";
    }
}
