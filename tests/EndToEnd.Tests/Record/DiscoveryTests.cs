using System.Diagnostics;
using System.Globalization;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Tests.Record;

/// <summary>Processes that are hard to find out about: their stacks are whole and named all the same.</summary>
public sealed class DiscoveryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("discovery-");
    private readonly Recorder _recorder = new();

    [Fact]
    public void Names_a_program_whose_file_is_deleted()
    {
        Requirements.Bpf();
        var path = TestPrograms.CompileC("split", "-O2", "-fomit-frame-pointer");
        using var busy = TestPrograms.Start(path, "120");
        File.Delete(path);

        AssertSplit(_recorder.RecordBusy(busy.Pid));
    }

    [Theory]
    [InlineData("another mount namespace", "-m")]
    [InlineData("another mount and pid namespace", "-m", "-f", "-p", "--mount-proc", "--kill-child")]
    public void Names_a_program_that_only_its_own_namespace_shows(string form, params string[] flags)
    {
        Requirements.Bpf();
        Requirements.Tool("unshare", "util-linux");
        var path = TestPrograms.CompileC("split", "-O2", "-fomit-frame-pointer");
        var hidden = Path.Combine(_folder.FullName, "hidden");
        using var unshare = TestPrograms.Start(
            "unshare", [.. flags, "sh", "-c", $"mkdir {hidden} && mount -t tmpfs tmpfs {hidden} && cp {path} {hidden}/split && rm {path} && exec {hidden}/split 120"]);
        var pid = AwaitProgram(unshare.Pid, "split");
        Assert.False(File.Exists(Path.Combine(hidden, "split")), form);

        AssertSplit(_recorder.RecordBusy(pid));
    }

    [Fact]
    public void Follows_a_program_into_a_library_it_loads_while_it_is_recorded()
    {
        Requirements.Bpf();
        var plugin = TestPrograms.CompileC("plugin", "-O2", "-fomit-frame-pointer", "-shared", "-fPIC");
        var program = TestPrograms.CompileC("late", "-O2", "-fomit-frame-pointer");

        // On a loaded machine it takes longer to come to the library.
        for (var seconds = 4; ; seconds *= 2)
        {
            using var late = TestPrograms.Start(program, "1", plugin);

            var profile = _recorder.Record(late.Pid, $"{seconds}s");

            var before = profile.ShareOf(stack => Recorded.Follows(stack, "work_before", "main"));
            var after = profile.ShareOf(stack => Recorded.Follows(stack, "plugin_inner", "plugin_work") && Recorded.Follows(stack, "plugin_work", "main"));
            Assert.True(before + after > 97, $"{before:F1} % + {after:F1} %: the rest is not whole");
            if (before > 1 && after > 10)
            {
                return;
            }

            Assert.True(seconds < 30, $"{before:F1} % before the library was loaded, {after:F1} % in it");
        }
    }

    /// <summary>A file mapped by hand is named as any other. Code that is copied to ever new memory has no name, but its callers have.</summary>
    [Fact]
    public void Follows_a_program_into_code_that_it_maps_itself_while_it_is_recorded()
    {
        Requirements.Bpf();
        Requirements.Tool("nm", "binutils");
        var plugin = TestPrograms.CompileC("mappedplugin", "-O2", "-fomit-frame-pointer", "-shared", "-fPIC", "-nostdlib", "-Wl,-z,noseparate-code");
        using var nm = Process.Start(new ProcessStartInfo("nm", ["-D", plugin]) { RedirectStandardOutput = true })!;
        var offset = nm.StandardOutput.ReadToEnd().Split('\n').Single(line => line.EndsWith(" mapped_work", StringComparison.Ordinal)).Split(' ')[0];
        using var mapped = TestPrograms.Start(TestPrograms.CompileC("mapped", "-O2", "-fno-omit-frame-pointer"), plugin, offset);

        var profile = _recorder.Record(mapped.Pid, "4s");

        var inFile = profile.ShareOf(stack => Recorded.Follows(stack, "mapped_inner", "mapped_work") && Recorded.Follows(stack, "mapped_work", "call_mapped"));
        var inMemory = profile.ShareOf(stack => Recorded.Follows(stack, "[anon]", "call_generated") || Recorded.Follows(stack, "[unknown]", "call_generated"));
        Assert.True(inFile > 10 && inMemory > 10, $"{inFile:F1} % in the file, {inMemory:F1} % in memory");
        Assert.True(profile.ShareOf(stack => stack.Contains("main") && stack.Contains("_start")) > 97, "stacks are cut short");
    }

    /// <summary>Both libraries have the same addresses, one after the other.</summary>
    [Fact]
    public void Names_a_library_that_took_the_place_of_another()
    {
        Requirements.Bpf();
        string[] flags = ["-O2", "-fomit-frame-pointer", "-shared", "-fPIC"];
        var (first, second) = (TestPrograms.CompileC("plugin", [.. flags, "-Dplugin_inner=first_inner"]), TestPrograms.CompileC("plugin", [.. flags, "-Dplugin_inner=second_inner"]));
        var program = TestPrograms.CompileC("reload", "-O2");

        // On a loaded machine it takes longer to come to the second.
        for (var seconds = 4; ; seconds *= 2)
        {
            using var reload = TestPrograms.Start(program, "2", first, second);

            var profile = _recorder.Record(reload.Pid, $"{seconds}s");

            var inSecond = profile.ShareOf(stack => Recorded.Follows(stack, "second_inner", "plugin_work"));
            if (inSecond > 10)
            {
                return;
            }

            Assert.True(seconds < 30, $"{inSecond:F1} % in the second library");
        }
    }

    [Fact]
    public void Tells_processes_apart_that_have_the_same_id_one_after_the_other()
    {
        Requirements.Bpf();
        var first = TestPrograms.CompileC("brief", "-O2", "-fomit-frame-pointer", "-Dinner=first_inner", "-Douter=first_outer");
        var second = TestPrograms.CompileC("brief", "-O2", "-fomit-frame-pointer", "-static", "-Dinner=second_inner", "-Douter=second_outer");
        using var again = TestPrograms.Start(TestPrograms.CompileC("again", "-O2"), "20000", first, second, "15");

        var profile = _recorder.RecordUntil(pid: null, profile => Math.Min(OfFirst(profile), OfSecond(profile)) > 400);

        Assert.False(again.Process.HasExited, "the programs did not run until the end of the recording");
        var (ofFirst, ofSecond) = (OfFirst(profile), OfSecond(profile));
        var all = profile.TicksOf(stack => stack[^1] == "brief" && stack.Any(name => name is "first_inner" or "second_inner"));
        Assert.True(ofFirst > 400 && ofSecond > 400, $"{ofFirst} and {ofSecond} ticks");
        Assert.True(ofFirst + ofSecond > 0.9 * all, $"{ofFirst} + {ofSecond} of {all} ticks are whole");
        Assert.InRange((double)ofFirst / ofSecond, 0.75, 1.33);

        long OfFirst(Recorded profile) =>
            profile.TicksOf(stack => Recorded.Follows(stack, "first_inner", "first_outer") && Recorded.Follows(stack, "first_outer", "main"));
        long OfSecond(Recorded profile) =>
            profile.TicksOf(stack => Recorded.Follows(stack, "second_inner", "second_outer") && Recorded.Follows(stack, "second_outer", "main"));
    }

    public void Dispose()
    {
        _recorder.Dispose();
        _folder.Delete(recursive: true);
    }

    private static void AssertSplit(Recorded profile)
    {
        Assert.Equal(60, profile.ShareOf(stack => Recorded.Follows(stack, "sort_rows", "run_query")), 4.0);
        Assert.Equal(30, profile.ShareOf(stack => Recorded.Follows(stack, "hash_rows", "run_query")), 4.0);
        Assert.True(profile.ShareOf(stack => Recorded.Follows(stack, "run_query", "main") && stack.Contains("_start")) > 96, "run_query is not called by main in all stacks");
    }

    /// <summary>The pid of the descendant of a process that runs a program, once it does.</summary>
    private static int AwaitProgram(int ancestor, string name)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
        {
            foreach (var pid in File.ReadAllText($"/proc/{ancestor}/task/{ancestor}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Append($"{ancestor}"))
            {
                if (ProcFiles.Comm(int.Parse(pid, CultureInfo.InvariantCulture)) == name)
                {
                    return int.Parse(pid, CultureInfo.InvariantCulture);
                }
            }
        }

        throw new TimeoutException($"no process {name} below {ancestor} within 10 s");
    }
}
