using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text.RegularExpressions;
using ActorProfiler.Pprof;

namespace ActorProfiler.Tests.Record;

/// <summary><c>actorprofiler record</c> as a user runs it, on programs whose CPU split is known.</summary>
public sealed partial class RecordTests : IDisposable
{
    private const double Tolerance = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("record-");

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
        Assert.True(ShareOf(profile, stack => Follows(stack, "run_query", "main")) > 96, $"{form}: run_query is not called by main in all stacks");
    }

    [Fact]
    public void Keeps_the_chain_of_a_stripped_program_by_its_offsets()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2", "-fomit-frame-pointer", "-s"), "120");

        var profile = Record(busy.Pid);

        // spin ← {sort,hash,write}_rows ← run_query ← main ← libc
        Assert.True(ShareOf(profile, stack => stack.Count(name => name.StartsWith("split+0x", StringComparison.Ordinal)) >= 4) > 96);
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
        Assert.True(ShareOf(profile, stack => Follows(stack, "run_query", "main") && stack.Contains("_start")) > 96);
        Assert.DoesNotContain("_PyEval_EvalFrameDefault", profile.StringTable);
        Assert.Contains(profile.StringTable, text => text.EndsWith("split.py", StringComparison.Ordinal));
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
        Assert.True(ShareOf(profile, stack => Follows(stack, "main.runQuery", "main.main")) > 96, form);
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
        Assert.True(ShareOf(profile, stack => Follows(stack, "main.runQuery", "main.main")) > 96, form);
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
        var profile = Eventually(() => Record(busy.Pid), profile => ShareOf(profile, stack => stack.Any(name => name.Contains("Split.runQuery", StringComparison.Ordinal))) > 92);

        AssertShare(profile, "Split.sortRows", 60, "java");
        AssertShare(profile, "Split.hashRows", 30, "java");
        AssertShare(profile, "Split.writeRows", 10, "java");
        Assert.True(ShareOf(profile, stack => stack.Contains("start_thread")) > 92, "stacks do not reach the thread's first function");
    }

    [Fact]
    public void Shows_the_methods_of_dotnet_without_any_configuration_and_leaves_nothing_behind()
    {
        Requirements.Bpf();
        var program = System.IO.Path.Combine(AppContext.BaseDirectory, "SplitDotNet.dll");
        using var busy = TestPrograms.Start(Environment.ProcessPath is { } host && host.EndsWith("dotnet", StringComparison.Ordinal) ? host : "dotnet", program, "120");

        // Until the runtime is up it has no port to ask at.
        var profile = Eventually(() => Record(busy.Pid), profile => ShareOf(profile, stack => stack.Any(name => name.Contains("Queries::RunQuery", StringComparison.Ordinal))) > 90);

        AssertShare(profile, "Queries::SortRows", 60, "dotnet");
        AssertShare(profile, "Queries::HashRows", 30, "dotnet");
        AssertShare(profile, "Queries::WriteRows", 10, "dotnet");
        Assert.False(File.Exists($"/tmp/perf-{busy.Pid}.map"));
    }

    [Fact]
    public void Balances_its_ledger_and_states_its_clock()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");

        var output = Run("record", "-d", "2s", "--rate", "997", "-o", Path("all.pb.gz"), "--html", Path("all.html"));

        var ledger = Ledger().Match(output);
        Assert.True(ledger.Success, output);
        Assert.Equal(Number("ticks"), Number("recorded") + Number("dropped"));
        var profile = Read(Path("all.pb.gz"));
        Assert.Equal(1_000_000_000 / 997, profile.Period);
        Assert.Equal(Number("recorded") * profile.Period, profile.Sample.Sum(sample => sample.Value[0]));
        Assert.True(profile.DurationNanos >= 1.9e9, $"{profile.DurationNanos} ns");
        Assert.Contains("split", File.ReadAllText(Path("all.html")), StringComparison.Ordinal);

        long Number(string name) => long.Parse(ledger.Groups[name].Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Is_read_by_the_pprof_tool()
    {
        Requirements.Bpf();
        Requirements.Tool("go", "golang-go");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");
        Record(busy.Pid);

        using var tool = Process.Start(new ProcessStartInfo("go", ["tool", "pprof", "-raw", Path("one.pb.gz")]) { RedirectStandardOutput = true })!;
        var raw = tool.StandardOutput.ReadToEnd();
        tool.WaitForExit();

        Assert.Equal(0, tool.ExitCode);
        Assert.Contains("PeriodType: cpu nanoseconds", raw, StringComparison.Ordinal);
        Assert.Contains("sort_rows", raw, StringComparison.Ordinal);
        Assert.Contains("/split", raw, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private Profile Record(int pid)
    {
        Run("record", "-d", "5s", "--rate", "997", "--pid", $"{pid}", "-o", Path("one.pb.gz"));
        return Read(Path("one.pb.gz"));
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private static string Run(params string[] arguments)
    {
        var path = System.IO.Path.Combine(AppContext.BaseDirectory, "actorprofiler");
        using var program = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = program.StandardError.ReadToEndAsync();
        var output = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        Assert.True(program.ExitCode == 0, $"exit code {program.ExitCode}: {errors.Result}");
        return output;
    }

    private static Profile Read(string path)
    {
        using var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        return Profile.Parser.ParseFrom(gzip);
    }

    private static void AssertShare(Profile profile, string function, double expected, string form)
    {
        var share = ShareOf(profile, stack => stack.Any(name => name.Contains(function, StringComparison.Ordinal)));
        Assert.True(Math.Abs(share - expected) <= Tolerance, $"{form}: {function} has {share:F1} %, expected {expected} ± {Tolerance}");
    }

    /// <summary>Percentage of the CPU time in stacks (names, leaf first) that satisfy <paramref name="holds"/>.</summary>
    private static double ShareOf(Profile profile, Func<IReadOnlyList<string>, bool> holds)
    {
        var functions = profile.Function.ToDictionary(function => function.Id, function => profile.StringTable[(int)function.Name]);
        var locations = profile.Location.ToDictionary(location => location.Id, location => location.Line.Select(line => functions[line.FunctionId]).ToList());
        var total = profile.Sample.Sum(sample => sample.Value[0]);
        var held = profile.Sample.Where(sample => holds([.. sample.LocationId.SelectMany(id => locations[id])])).Sum(sample => sample.Value[0]);
        return 100.0 * held / total;
    }

    private static Profile Eventually(Func<Profile> record, Func<Profile, bool> holds)
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

    private static bool Follows(IReadOnlyList<string> stack, string callee, string caller)
    {
        var index = stack.ToList().IndexOf(callee);
        return index >= 0 && index + 1 < stack.Count && stack[index + 1] == caller;
    }

    [GeneratedRegex(@"ledger\s+(?<ticks>\d+) ticks = (?<recorded>\d+) recorded \+ (?<dropped>\d+) dropped")]
    private static partial Regex Ledger();
}
