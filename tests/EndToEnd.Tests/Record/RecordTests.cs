using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ActorProfiler.Tests.Record;

/// <summary><c>actorprofiler record</c> as a user runs it, on programs whose CPU split is known.</summary>
public sealed partial class RecordTests : IDisposable
{
    private const double Tolerance = 4;

    private readonly Recorder _recorder = new();

    [Theory]
    [InlineData("with frame pointers", "-O2", "-fno-omit-frame-pointer")]
    [InlineData("without frame pointers", "-O2", "-fomit-frame-pointer")]
    [InlineData("static", "-O2", "-static", "-no-pie")]
    public void Shows_the_split_and_the_whole_chain_of_a_c_program(string form, params string[] flags)
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", flags), "120");

        var profile = Record(busy.Pid);

        AssertShare(profile, "sort_rows", 60, form);
        AssertShare(profile, "hash_rows", 30, form);
        AssertShare(profile, "write_rows", 10, form);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "main")) > 96, $"{form}: run_query is not called by main in all stacks");
    }

    [Fact]
    public void Keeps_the_chain_of_a_stripped_program_by_its_offsets()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2", "-fomit-frame-pointer", "-s"), "120");

        var profile = Record(busy.Pid);

        // spin ← {sort,hash,write}_rows ← run_query ← main ← libc
        Assert.True(profile.ShareOf(stack => stack.Count(name => name.StartsWith("split+0x", StringComparison.Ordinal)) >= 4) > 96);
    }

    [Fact]
    public void Shows_the_functions_of_python_in_place_of_its_interpreter()
    {
        Requirements.Bpf();
        Requirements.Tool("python3", "python3");
        using var busy = TestPrograms.Start(Requirements.FindOnPath("python3")!, TestPrograms.Source("split.py"), "120");

        var profile = Record(busy.Pid);

        // 3.11 and later say Query.sort_rows, earlier ones sort_rows.
        AssertShare(profile, "sort_rows", 60, "python");
        AssertShare(profile, "hash_rows", 30, "python");
        AssertShare(profile, "write_rows", 10, "python");
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "main") && stack.Contains("_start")) > 96);
        Assert.DoesNotContain("_PyEval_EvalFrameDefault", profile.Profile.StringTable);
        Assert.Contains(profile.Profile.StringTable, text => text.EndsWith("split.py", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("with symbols")]
    [InlineData("stripped", "-ldflags=-s -w")]
    public void Shows_the_functions_of_go(string form, params string[] flags)
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileGo("split", flags), "120");

        var profile = Record(busy.Pid);

        AssertShare(profile, "main.sortRows", 60, form);
        AssertShare(profile, "main.hashRows", 30, form);
        AssertShare(profile, "main.writeRows", 10, form);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "main.runQuery", "main.main")) > 96, form);
    }

    [Theory]
    [InlineData("cgo")]
    [InlineData("cgo, stripped", "-ldflags=-s -w")]
    [InlineData("cgo, position independent", "-buildmode=pie")]
    public void Follows_go_into_c_and_back(string form, params string[] flags)
    {
        Requirements.Bpf();
        Requirements.Tool("gcc", "gcc");
        using var busy = TestPrograms.Start(TestPrograms.CompileGo("splitcgo", flags), "120");

        var profile = Record(busy.Pid);

        AssertShare(profile, "main.sortRows", 60, form);
        AssertShare(profile, "main.hashRows", 30, form);
        AssertShare(profile, "main.writeRows", 10, form);
        AssertShare(profile, "runtime.cgocallback", 60, form);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "main.runQuery", "main.main")) > 96, form);
    }

    [Fact]
    public void Shows_the_methods_of_java_without_any_option_of_the_jvm()
    {
        Requirements.Bpf();
        Requirements.Tool("java", "openjdk-17-jdk-headless");

        // What is not inlined must stand on the stack, though compiled code keeps no frame pointer.
        using var busy = TestPrograms.Start(
            Requirements.FindOnPath("java")!, "-XX:CompileCommand=quiet", "-XX:CompileCommand=dontinline,Split.*", TestPrograms.Source("Split.java"), "120");

        // At first it compiles: the file, then itself.
        var profile = Eventually(() => Record(busy.Pid), profile => profile.ShareOf(stack => stack.Any(name => name.Contains("Split.runQuery", StringComparison.Ordinal))) > 92);

        AssertShare(profile, "Split.sortRows", 60, "java");
        AssertShare(profile, "Split.hashRows", 30, "java");
        AssertShare(profile, "Split.writeRows", 10, "java");
        Assert.True(profile.ShareOf(stack => stack.Contains("start_thread")) > 92, "stacks do not reach the thread's first function");
    }

    [Fact]
    public void Shows_the_methods_of_dotnet_without_any_configuration_and_leaves_nothing_behind()
    {
        Requirements.Bpf();
        var program = System.IO.Path.Combine(AppContext.BaseDirectory, "SplitDotNet.dll");
        using var busy = TestPrograms.Start(Environment.ProcessPath is { } host && host.EndsWith("dotnet", StringComparison.Ordinal) ? host : "dotnet", program, "120");

        // Until the runtime is up it has no port to ask at.
        var profile = Eventually(() => Record(busy.Pid), profile => profile.ShareOf(stack => stack.Any(name => name.Contains("Queries::RunQuery", StringComparison.Ordinal))) > 90);

        AssertShare(profile, "Queries::SortRows", 60, "dotnet");
        AssertShare(profile, "Queries::HashRows", 30, "dotnet");
        AssertShare(profile, "Queries::WriteRows", 10, "dotnet");
        Assert.False(File.Exists($"/tmp/perf-{busy.Pid}.map"));
    }

    [Theory]
    [InlineData(97)]
    [InlineData(997)]
    public void Accounts_for_every_tick_of_two_hundred_processes_and_loses_none(int rate)
    {
        const int Processes = 200;
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");
        var path = TestPrograms.CompileC("light", "-O2");
        var light = Enumerable.Range(0, Processes).Select(_ => TestPrograms.Start(path, "120")).ToList();
        try
        {
            var recorded = _recorder.Record(pid: null, "3s", rate);

            var ledger = Ledger().Match(recorded.Output);
            Assert.True(ledger.Success, recorded.Output);
            Assert.Equal(Number("ticks"), Number("recorded") + Number("dropped"));
            Assert.Equal(Number("recorded"), recorded.TicksOf(_ => true));
            Assert.All(Reason().Matches(ledger.Groups["reasons"].Value), reason => Assert.Contains(reason.Value, (string[])["idle", "kernel_thread"]));
            Assert.Equal(1_000_000_000 / rate, recorded.Profile.Period);
            Assert.True(recorded.Profile.DurationNanos >= 2.9e9, $"{recorded.Profile.DurationNanos} ns");

            long Number(string name) => long.Parse(ledger.Groups[name].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            light.ForEach(process => process.Dispose());
        }
    }

    [Fact]
    public void Writes_a_flame_graph()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");
        var html = _recorder.Path("all.html");

        Recorder.Run("record", "-d", "1s", "--rate", "499", "--html", html);

        Assert.Contains("sort_rows", File.ReadAllText(html), StringComparison.Ordinal);
    }

    [Fact]
    public void Is_read_by_the_pprof_tool()
    {
        Requirements.Bpf();
        Requirements.Tool("go", "golang-go");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");
        Record(busy.Pid);

        using var tool = Process.Start(new ProcessStartInfo("go", ["tool", "pprof", "-raw", _recorder.Path("one.pb.gz")]) { RedirectStandardOutput = true })!;
        var raw = tool.StandardOutput.ReadToEnd();
        tool.WaitForExit();

        Assert.Equal(0, tool.ExitCode);
        Assert.Contains("PeriodType: cpu nanoseconds", raw, StringComparison.Ordinal);
        Assert.Contains("sort_rows", raw, StringComparison.Ordinal);
        Assert.Contains("/split", raw, StringComparison.Ordinal);
    }

    public void Dispose() => _recorder.Dispose();

    private Recorded Record(int pid) => _recorder.Record(pid, "5s");

    private static void AssertShare(Recorded profile, string function, double expected, string form)
    {
        var share = profile.ShareOf(stack => stack.Any(name => name.Contains(function, StringComparison.Ordinal)));
        Assert.True(Math.Abs(share - expected) <= Tolerance, $"{form}: {function} has {share:F1} %, expected {expected} ± {Tolerance}");
    }

    private static Recorded Eventually(Func<Recorded> record, Func<Recorded, bool> holds)
    {
        const int Tries = 3;
        for (var i = 1; ; i++)
        {
            if (record() is var profile && (holds(profile) || i == Tries))
            {
                return profile;
            }
        }
    }

    [GeneratedRegex(@"ledger\s+(?<ticks>\d+) ticks = (?<recorded>\d+) recorded \+ (?<dropped>\d+) dropped(?: \((?<reasons>[^)]*)\))?")]
    private static partial Regex Ledger();

    [GeneratedRegex("[a-z_]+")]
    private static partial Regex Reason();
}
