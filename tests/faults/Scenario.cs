using System.Globalization;

// Each scenario has the machine for itself: some measure it.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace ActorProfiler.Tests.Faults;

/// <summary>What a scenario leaves for the table in docs/reliability.md, and how long its faults last.</summary>
internal static class Scenario
{
    /// <summary>Factor of the durations: <c>ACTORPROFILER_FAULT_SCALE</c>, 1 unless set.</summary>
    private static readonly double _scale = double.Parse(Environment.GetEnvironmentVariable("ACTORPROFILER_FAULT_SCALE") ?? "1", CultureInfo.InvariantCulture);

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds * _scale);

    public static int Times(int times) => Math.Max(1, (int)(times * _scale));

    /// <summary>Lets time pass while the fault lasts.</summary>
    public static async Task LastAsync(TimeSpan duration)
    {
        using var timer = new PeriodicTimer(duration);
        await timer.WaitForNextTickAsync();
    }

    /// <summary>Writes the row of a scenario to the folder <c>ACTORPROFILER_FAULT_ROWS</c>, when that is set.</summary>
    public static void Report(int number, string fault, Verdict verdict, string seen)
    {
        var row = string.Create(CultureInfo.InvariantCulture,
            $"| {number} | {fault} | {verdict.Minted} | {verdict.Missing} | {verdict.Doubled} | {verdict.Spurious} | {verdict.Unaccounted} | {verdict.Resent} / {verdict.Repeated} | {seen} |");
        TestContext.Current.SendDiagnosticMessage(row);
        if (Environment.GetEnvironmentVariable("ACTORPROFILER_FAULT_ROWS") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, $"{number:00}"), row + "\n");
        }
    }
}
