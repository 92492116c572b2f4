using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Record;

/// <summary>Runtimes that <c>actorprofiler record</c> asks for names. Alone, for every collector on the host asks them.</summary>
[Collection(nameof(Alone))]
public sealed class RecordRuntimeTests : IDisposable
{
    private readonly Recorder _recorder = new();

    /// <summary>What is not inlined must stand on the stack, though compiled code keeps no frame pointer; what is inlined has none of its own.</summary>
    [Theory]
    [InlineData("dontinline")]
    [InlineData("inline")]
    public void Shows_the_methods_of_java_without_any_option_of_the_jvm(string inlining)
    {
        Requirements.Bpf();
        Requirements.Tool("java", "openjdk-17-jdk-headless");
        using var busy = TestPrograms.Start(
            Requirements.FindOnPath("java")!, "-XX:CompileCommand=quiet", $"-XX:CompileCommand={inlining},Split.*", TestPrograms.Source("Split.java"), "120");

        // At first it compiles: the file, then itself.
        var profile = _recorder.RecordUntil(busy.Pid, profile => profile.ShareOf(stack => stack.Any(name => name.Contains("Split.runQuery", StringComparison.Ordinal))) > 97);

        profile.AssertShare("Split.sortRows", 60, "java");
        profile.AssertShare("Split.hashRows", 30, "java");
        profile.AssertShare("Split.writeRows", 10, "java");
        Assert.True(profile.ShareOf(stack => stack.Contains("start_thread")) > 92, "stacks do not reach the thread's first function");

        // The launcher that compiled the file is interpreted.
        Assert.True(profile.ShareOf(stack => stack.Contains("java.lang.reflect.Method.invoke")) > 92, "interpreted methods have no names");
        Assert.True(profile.ShareOf(stack => stack.Contains("Interpreter")) < 5, "interpreted methods have no names");
        Assert.False(File.Exists($"/tmp/perf-{busy.Pid}.map"), "the JVM was asked for what its memory tells");
    }

    [Fact]
    public void Shows_the_methods_of_dotnet_without_any_configuration_and_leaves_nothing_behind()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.StartDotNet("120");

        // Until the runtime is up it has no port to ask at.
        var profile = _recorder.RecordUntil(busy.Pid, profile => profile.ShareOf(stack => stack.Any(name => name.Contains("Queries::RunQuery", StringComparison.Ordinal))) > 90);

        profile.AssertShare("Queries::SortRows", 60, "dotnet");
        profile.AssertShare("Queries::HashRows", 30, "dotnet");
        profile.AssertShare("Queries::WriteRows", 10, "dotnet");
        Assert.False(File.Exists($"/tmp/perf-{busy.Pid}.map"));
    }

    [Fact]
    public async Task Shows_the_methods_of_dotnet_programs_that_have_ended_when_they_are_named_and_removes_their_maps()
    {
        Requirements.Bpf();
        var pids = new List<int>();
        var recording = Task.Run(() => _recorder.Record(pid: null, "8s"), TestContext.Current.CancellationToken);
        while (!recording.IsCompleted)
        {
            using var brief = TestPrograms.StartDotNet("1.2");
            pids.Add(brief.Pid);
            await brief.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var profile = await recording;

        var named = profile.TicksOf(stack => stack.Any(name => name.Contains("Queries::RunQuery", StringComparison.Ordinal)));
        var unnamed = profile.TicksOf(stack => stack[0].Contains("memfd:doublemapper", StringComparison.Ordinal));
        Assert.True(named > unnamed, $"{named} ticks with names, {unnamed} without, of {pids.Count} programs");
        Assert.All(pids, pid => Assert.False(File.Exists($"/tmp/perf-{pid}.map")));
    }

    public void Dispose() => _recorder.Dispose();
}
