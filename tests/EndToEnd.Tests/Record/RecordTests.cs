using System.Diagnostics;

namespace ActorProfiler.Tests.Record;

/// <summary><c>actorprofiler record</c> as a user runs it, on programs whose CPU split is known.</summary>
public sealed class RecordTests : IDisposable
{
    private readonly Recorder _recorder = new();

    [Theory]
    [InlineData("with frame pointers", "-O2", "-fno-omit-frame-pointer")]
    [InlineData("without frame pointers", "-O2", "-fomit-frame-pointer")]
    [InlineData("static", "-O2", "-static", "-no-pie")]
    public void Shows_the_split_and_the_whole_chain_of_a_c_program(string form, params string[] flags)
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", flags), "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        profile.AssertShare("sort_rows", 60, form);
        profile.AssertShare("hash_rows", 30, form);
        profile.AssertShare("write_rows", 10, form);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "main")) > 96, $"{form}: run_query is not called by main in all stacks");
    }

    [Theory]
    [InlineData("without frame pointers", "-O2", "-fomit-frame-pointer")]
    [InlineData("with probes of the stack", "-O2", "-fstack-clash-protection")]
    public void Walks_through_frames_of_a_mebibyte(string form, params string[] flags)
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("frames", flags));

        var profile = _recorder.RecordUntil(busy.Pid, recorded => recorded.TicksOf(_ => true) >= 500, seconds: 1);

        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "in_300_kib", "in_a_mebibyte") && Recorded.Follows(stack, "in_a_mebibyte", "main")) > 96, form);
    }

    /// <summary>musl has no unwind tables, and a program that uses it is in it most of the time here.</summary>
    [Fact]
    public void Walks_through_a_c_library_that_has_no_unwind_tables()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileWithMusl("libcalls", "-O2", "-fomit-frame-pointer"));

        var profile = _recorder.Record(busy.Pid, "3s");

        var inLibrary = profile.ShareOf(stack => stack.Any(name => name.StartsWith("libc.so+0x", StringComparison.Ordinal) || name is "memcpy" or "memset"));
        var whole = profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "serve"));
        Assert.True(inLibrary > 50, $"{inLibrary:F1} % are in the library");
        Assert.True(whole > 94, $"{whole:F1} % are whole");

        // clone has no symbol and lies behind memset, which has one without a size.
        var threads = profile.ShareOf(stack => stack is [.., "serve", _, var outermost] && outermost.StartsWith("libc.so+0x", StringComparison.Ordinal));
        Assert.True(threads > 94, $"{threads:F1} % begin in an unnamed function of the library");
    }

    [Fact]
    public void Keeps_the_chain_of_a_stripped_program_by_its_offsets()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2", "-fomit-frame-pointer", "-s"), "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        // spin ← {sort,hash,write}_rows ← run_query ← main ← libc
        Assert.True(profile.ShareOf(stack => stack.Count(name => name.StartsWith("split+0x", StringComparison.Ordinal)) >= 4) > 96);
    }

    [Fact]
    public void Shows_the_functions_of_python_in_place_of_its_interpreter()
    {
        Requirements.Bpf();
        Requirements.Tool("python3", "python3");
        using var busy = TestPrograms.Start(Requirements.FindOnPath("python3")!, TestPrograms.Source("split.py"), "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        // 3.11 and later say Query.sort_rows, earlier ones sort_rows.
        profile.AssertShare("sort_rows", 60, "python");
        profile.AssertShare("hash_rows", 30, "python");
        profile.AssertShare("write_rows", 10, "python");
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "main") && stack.Contains("_start")) > 96);
        Assert.DoesNotContain("_PyEval_EvalFrameDefault", profile.Profile.StringTable);
        Assert.Contains(profile.Profile.StringTable, text => text.EndsWith("split.py", StringComparison.Ordinal));
    }

    [Fact]
    public void Keeps_the_innermost_frames_of_deep_python_and_says_that_there_were_more()
    {
        Requirements.Bpf();
        Requirements.Tool("python3", "python3");
        using var busy = TestPrograms.Start(Requirements.FindOnPath("python3")!, TestPrograms.Source("deep.py"), "120", "400");

        var profile = _recorder.RecordUntil(busy.Pid, recorded => recorded.TicksOf(IsCut) > 100);

        Assert.True(profile.TicksOf(IsCut) > 100);
        Assert.Equal(0, profile.TicksOf(stack => IsCut(stack) && stack.Contains("run_deep")));

        static bool IsCut(IReadOnlyList<string> stack) =>
            stack[0] == "spin" && stack.Count(name => name == "recurse") > 200 && Recorded.Follows([.. stack.Reverse()], "[python]", "recurse") && stack.Contains("_start");
    }

    [Theory]
    [InlineData("with symbols")]
    [InlineData("stripped", "-ldflags=-s -w")]
    public void Shows_the_functions_of_go(string form, params string[] flags)
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileGo("split", flags), "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        profile.AssertShare("main.sortRows", 60, form);
        profile.AssertShare("main.hashRows", 30, form);
        profile.AssertShare("main.writeRows", 10, form);
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

        var profile = _recorder.RecordBusy(busy.Pid);

        profile.AssertShare("main.sortRows", 60, form);
        profile.AssertShare("main.hashRows", 30, form);
        profile.AssertShare("main.writeRows", 10, form);
        profile.AssertShare("runtime.cgocallback", 60, form);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "main.runQuery", "main.main")) > 96, form);
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
        _recorder.RecordBusy(busy.Pid);

        using var tool = Process.Start(new ProcessStartInfo("go", ["tool", "pprof", "-raw", _recorder.Path("one.pb.gz")]) { RedirectStandardOutput = true })!;
        var raw = tool.StandardOutput.ReadToEnd();
        tool.WaitForExit();

        Assert.Equal(0, tool.ExitCode);
        Assert.Contains("PeriodType: cpu nanoseconds", raw, StringComparison.Ordinal);
        Assert.Contains("sort_rows", raw, StringComparison.Ordinal);
        Assert.Contains("/split", raw, StringComparison.Ordinal);
    }

    public void Dispose() => _recorder.Dispose();
}
