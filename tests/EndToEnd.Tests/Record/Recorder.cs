using System.Diagnostics;
using System.IO.Compression;
using ActorProfiler.Pprof;

namespace ActorProfiler.Tests.Record;

/// <summary>Runs <c>actorprofiler record</c> as a user does.</summary>
internal sealed class Recorder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("record-");

    /// <summary>Records, by default at 997 Hz.</summary>
    /// <param name="pid">Null = all processes; the outermost frame of each stack is then the process's name.</param>
    public Recorded Record(int? pid, string duration, int rate = 997)
    {
        var path = Path("one.pb.gz");
        string[] process = pid is { } one ? ["--pid", $"{one}"] : [];
        var output = Run(["record", "-d", duration, "--rate", $"{rate}", "-o", path, .. process]);
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        return new Recorded(Profile.Parser.ParseFrom(gzip), output);
    }

    /// <summary>Records a busy process until it has so many ticks, however loaded the machine is, that its shares are steady.</summary>
    public Recorded RecordBusy(int pid) => RecordUntil(pid, recorded => recorded.TicksOf(_ => true) >= 2500);

    /// <summary>Records longer and longer until a recording is good enough; the last one stands as it is.</summary>
    public Recorded RecordUntil(int? pid, Func<Recorded, bool> isEnough, int seconds = 4)
    {
        for (; ; seconds *= 2)
        {
            var recorded = Record(pid, $"{seconds}s");
            if (seconds > 30 || isEnough(recorded))
            {
                return recorded;
            }
        }
    }

    /// <summary>Path of a file that is deleted when this is disposed.</summary>
    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    /// <summary>Runs the program; a failure fails the test. Returns what it printed.</summary>
    public static string Run(params string[] arguments)
    {
        var path = System.IO.Path.Combine(AppContext.BaseDirectory, "actorprofiler");
        using var program = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = program.StandardError.ReadToEndAsync();
        var output = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        Assert.True(program.ExitCode == 0, $"exit code {program.ExitCode}: {errors.Result}");
        return output;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>What was recorded, by stacks of names, leaf first.</summary>
internal sealed class Recorded
{
    /// <summary>Points by which a share may differ from what is known.</summary>
    private const double Tolerance = 4;

    private readonly List<(IReadOnlyList<string> Stack, long Ticks)> _stacks;

    public Recorded(Profile profile, string output)
    {
        var functions = profile.Function.ToDictionary(function => function.Id, function => profile.StringTable[(int)function.Name]);
        var locations = profile.Location.ToDictionary(location => location.Id, location => location.Line.Select(line => functions[line.FunctionId]).ToList());
        _stacks = [.. profile.Sample.Select(sample =>
            ((IReadOnlyList<string>)[.. sample.LocationId.SelectMany(id => locations[id])], sample.Value[0] / profile.Period))];
        (Profile, Output) = (profile, output);
    }

    public Profile Profile { get; }

    /// <summary>What the command printed.</summary>
    public string Output { get; }

    public long TicksOf(Func<IReadOnlyList<string>, bool> holds) => _stacks.Where(one => holds(one.Stack)).Sum(one => one.Ticks);

    /// <summary>Percentage of the ticks in stacks that satisfy <paramref name="holds"/>.</summary>
    public double ShareOf(Func<IReadOnlyList<string>, bool> holds) => 100.0 * TicksOf(holds) / Math.Max(1, _stacks.Sum(one => one.Ticks));

    /// <summary>Fails unless the stacks that hold a function have the share that is known.</summary>
    /// <param name="expected">In percent.</param>
    public void AssertShare(string function, double expected, string form)
    {
        var share = ShareOf(stack => stack.Any(name => name.Contains(function, StringComparison.Ordinal)));
        Assert.True(Math.Abs(share - expected) <= Tolerance, $"{form}: {function} has {share:F1} %, expected {expected} ± {Tolerance}");
    }

    /// <summary>Whether <paramref name="caller"/> called <paramref name="callee"/>.</summary>
    public static bool Follows(IReadOnlyList<string> stack, string callee, string caller)
    {
        var index = stack.ToList().IndexOf(callee);
        return index >= 0 && index + 1 < stack.Count && stack[index + 1] == caller;
    }
}
