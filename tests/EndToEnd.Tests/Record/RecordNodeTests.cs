namespace ActorProfiler.Tests.Record;

/// <summary>Node.js as it is started everywhere: without any option that would tell of its functions.</summary>
public sealed class RecordNodeTests : IDisposable
{
    private readonly Recorder _recorder = new();

    [Fact]
    public void Names_the_functions_of_a_node_program_with_their_file_and_line()
    {
        Requirements.Bpf();
        Requirements.Tool("node", "nodejs");
        var source = TestPrograms.Source("split.js");
        using var busy = TestPrograms.Start(Requirements.FindOnPath("node")!, "--max-inlined-bytecode-size=0", source, "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        profile.AssertShare("sortRows", 60, "Node.js");
        profile.AssertShare("hashRows", 30, "Node.js");
        profile.AssertShare("writeRows", 10, "Node.js");
        var whole = profile.ShareOf(stack => Recorded.Follows(stack, "runQuery", "(anonymous)") && stack.Contains("Builtins_JSEntry") && stack.Contains("node::Start"));
        Assert.True(whole > 94, $"{whole:F1} % hold runQuery below the script below Node.js' own start");
        var line = File.ReadAllLines(source).ToList().FindIndex(text => text.StartsWith("function runQuery", StringComparison.Ordinal)) + 1;
        var runQuery = Assert.Single(profile.Profile.Function, function => profile.Profile.StringTable[(int)function.Name] == "runQuery");
        Assert.Equal((source, line), (profile.Profile.StringTable[(int)runQuery.Filename], (int)runQuery.StartLine));
    }

    public void Dispose() => _recorder.Dispose();
}
